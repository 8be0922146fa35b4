// Opens a page in headless Chromium with the network blocked, with and without scripts, at two
// widths and in both colour schemes. Exits 1 with a reason if anything is wrong.
const { chromium } = require("playwright-core");
const path = require("path");

const file = path.resolve(process.argv[2]);
const name = path.basename(file, ".html");
const pictures = process.env.PAGE_SCREENSHOTS;
const wrong = [];

function check(holds, reason) {
  if (!holds) wrong.push(`${name}: ${reason}`);
}

// Text boxes of one chart that lie over each other.
function overlaps() {
  const found = [];
  for (const chart of document.querySelectorAll("svg.chart")) {
    const boxes = [...chart.querySelectorAll("text")]
      .filter((text) => getComputedStyle(text).display !== "none")
      .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    boxes.forEach((a, index) => {
      for (const b of boxes.slice(index + 1)) {
        const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (x > 0 && y > 3) found.push(`${chart.id}: "${a.text}" over "${b.text}"`);
      }
    });
  }
  return found;
}

async function look(browser, width, scheme, scripts) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled: scripts,
    offline: true,
  });
  const page = await context.newPage();
  page.on("console", (message) => check(false, `console: ${message.text()}`));
  page.on("pageerror", (error) => check(false, `script: ${error.message}`));
  page.on("request", (request) => check(request.url().startsWith("file:"), `asked for ${request.url()}`));
  await page.goto("file://" + file);
  const where = `${width} px, ${scheme}, scripts ${scripts ? "on" : "off"}`;
  const widest = await page.locator("html").evaluate((html) => html.scrollWidth);
  check(widest <= width, `${where}: ${widest} px wide`);
  check(await page.locator(".verdict").isVisible(), `${where}: no verdict`);
  if (scripts) {
    for (const overlap of await page.evaluate(overlaps)) check(false, `${where}: ${overlap}`);
    const area = page.locator("[data-hover]").first();
    if (await area.count()) {
      await area.hover();
      check(await area.locator(".reading").isVisible(), `${where}: no reading under the pointer`);
      await page.mouse.move(0, 0);
    }
  }
  if (pictures) {
    const picture = `${name}-${width}-${scheme}${scripts ? "" : "-noscript"}.png`;
    await page.screenshot({ path: path.join(pictures, picture), fullPage: true });
  }
  if (pictures && width > 1000 && scheme === "light" && scripts) {
    await page.pdf({ path: path.join(pictures, `${name}.pdf`), format: "A4" });
  }
  await context.close();
}

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) await look(browser, width, scheme, true);
    await look(browser, width, "light", false);
  }
  await browser.close();
  wrong.forEach((reason) => console.error(reason));
  process.exit(wrong.length ? 1 : 0);
})();
