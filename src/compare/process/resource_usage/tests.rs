use super::*;

#[cfg(target_os = "linux")]
mod on_linux {
    use super::super::linux::{CpuTicks, Stat, parse_stat, process_tree, status_number};
    use super::*;

    fn stat(pid: u32, parent: u32, group: u32) -> Stat {
        Stat {
            pid,
            parent,
            group,
            own: CpuTicks::default(),
            reaped: CpuTicks::default(),
        }
    }

    fn ids(stats: &[Stat]) -> Vec<u32> {
        stats.iter().map(|stat| stat.pid).collect()
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let line = "42 (a) b (c) S 7 40 40 0 -1 4194304 1 2 3 4 150 50 20 10 20 0 1 0 81519";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group), (42, 7, 40));
        assert_eq!(stat.own.user, Duration::from_millis(1500));
        assert_eq!(stat.own.system, Duration::from_millis(500));
        assert_eq!(stat.reaped.sum(), Duration::from_millis(300));
        assert_eq!(parse_stat("42 (short) S 7"), None);
    }

    #[test]
    fn numbers_are_found_in_a_status_by_the_whole_name_of_their_line() {
        let status =
            "VmHWM:\t   1234 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(status_number(status, "VmHWM:"), Some(1234));
        assert_eq!(status_number(status, "voluntary_ctxt_switches:"), Some(7));
        assert_eq!(
            status_number(status, "nonvoluntary_ctxt_switches:"),
            Some(9)
        );
        assert_eq!(status_number(status, "VmRSS:"), None);
    }

    #[test]
    fn our_own_switches_and_modes_are_told() {
        let usage = Processes::Alone(std::process::id()).usage().unwrap();
        let detail = usage.detail.unwrap();
        assert!(detail.voluntary_switches + detail.involuntary_switches > 0);
        assert!(usage.resident_bytes > 0 && usage.resident_bytes <= usage.memory_bytes);
        assert!(detail.user + detail.system <= usage.cpu);
    }

    #[test]
    fn a_tree_holds_all_descendants_in_any_order_and_nothing_else() {
        let all = [
            stat(9, 8, 9), // a grandchild in a group of its own, listed before its parent
            stat(5, 1, 5), // the root
            stat(8, 5, 5),
            stat(6, 1, 5), // in the group, and no descendant
            stat(4, 1, 4),
        ];
        assert_eq!(ids(&process_tree(5, &all)), [9, 5, 8]);
        assert!(process_tree(77, &all).is_empty());
    }
}

#[test]
fn our_own_usage_is_there_and_grows_with_work() {
    let id = std::process::id();
    let before = Processes::Tree(id).usage().unwrap();
    assert!(before.memory_bytes > 0);
    let mut now = before;
    let mut sum = 0_u64;
    while now.cpu < before.cpu + Duration::from_millis(20) {
        sum = (0..1_000_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        now = Processes::Tree(id).usage().unwrap();
    }
}

#[test]
fn the_portable_source_finds_us_too() {
    let usage = portable::usage(Processes::Tree(std::process::id())).unwrap();
    assert!(usage.memory_bytes > 0);
}

#[cfg(unix)]
#[test]
fn the_portable_source_finds_a_child_and_not_its_parent() {
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let id = |process: &sysinfo::Process| process.pid().as_u32();
    let ours = portable::process_tree(std::process::id(), id);
    let its_own = portable::process_tree(child.id(), id);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ours.contains(&child.id()), "{ours:?}");
    assert_eq!(its_own, [child.id()]);
}

#[test]
fn an_id_without_a_process_has_no_usage() {
    // Above every system's largest process id.
    assert_eq!(Processes::Tree(i32::MAX as u32).usage(), None);
    assert_eq!(portable::usage(Processes::Tree(i32::MAX as u32)), None);
}
