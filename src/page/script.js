// Shows the figures under the pointer. Everything else on the page does without scripts.
(function () {
  var readings = JSON.parse(document.getElementById("readings").textContent);
  document.querySelectorAll("[data-hover]").forEach(function (area) {
    var reading = readings[area.dataset.hover];
    var chart = area.querySelector("svg");
    if (!reading || !reading.x.length) return;
    var line = document.createElement("i");
    var words = document.createElement("output");
    line.className = "cursor";
    words.className = "reading";
    line.style.height = area.dataset.height + "px";
    area.append(line, words);
    function move(event) {
      var box = chart.getBoundingClientRect();
      var place = (event.clientX - box.left) / box.width;
      var best = 0;
      reading.x.forEach(function (x, index) {
        if (Math.abs(x - place) < Math.abs(reading.x[best] - place)) best = index;
      });
      var left = box.left - area.getBoundingClientRect().left;
      line.style.left = left + reading.x[best] * box.width + "px";
      var parts = reading.text[best].split("|");
      words.textContent = reading.form.replace(/\{\}/g, function () { return parts.shift(); });
      area.classList.add("read");
    }
    area.addEventListener("pointermove", move);
    area.addEventListener("pointerdown", move);
    area.addEventListener("pointerleave", function () {
      area.classList.remove("read");
    });
  });
})();
