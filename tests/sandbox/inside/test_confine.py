"""What the filter of a session lets through. That it holds is shown in tests/security."""

from __future__ import annotations

from toolkit.kernel.calls import machine
from toolkit.kernel.seccomp import Pass, program
from toolkit.sandbox.inside.confine import RULES


def test_what_reaches_out_is_not_named() -> None:
    named = {rule.name for rule in RULES}
    assert named.isdisjoint(
        {
            "socket",
            "connect",
            "bind",
            "listen",
            "accept",
            "mount",
            "umount2",
            "pivot_root",
            "chroot",
            "unshare",
            "setns",
        }
        | {"ptrace", "process_vm_readv", "bpf", "keyctl", "add_key", "io_uring_setup", "perf_event_open", "userfaultfd"}
        | {"init_module", "kexec_load", "open_by_handle_at", "memfd_create", "setuid", "setresuid", "capset", "mknodat"}
        | {"landlock_create_ruleset", "seccomp", "personality", "mlockall", "sched_setscheduler", "shmget"}
    )


def test_every_name_is_known_and_named_once() -> None:
    here = machine()
    if here is None:
        return
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    of_x86 = {"arch_prctl", "stat", "open", "fork"}  # arm64 has none of these
    assert set(names) - set(here.numbers) == set() or not of_x86 & set(here.numbers)
    assert len(program(here, RULES)) // 8 < 4096  # the kernel's limit


def test_children_are_made_without_namespaces() -> None:
    (clone,) = (rule for rule in RULES if rule.name == "clone")
    assert isinstance(clone, Pass)
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert clone.never & flag
