"""What hostile code tries, each attack with what the system answers to it.

Every attack ends in a line that says how it went: `refused` with the error of the system, or `ESCAPED`. `HOST` has what
an attacker would give much for: the path of a secret, the number of a process, addresses that listen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ATTACKS", "BOMBS", "PRELUDE", "Attack"]

PRELUDE: Final = '''
import ctypes, errno, os, platform, resource, signal, socket, stat, sys, threading, time
SYSCALLS = {"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "io_uring_setup": (425, 425),
 "io_uring_enter": (426, 426), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
 "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434),
 "pidfd_getfd": (438, 438),
 "setns": (308, 268), "unshare": (272, 97), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
 "chroot": (161, 51), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "init_module": (175, 105),
 "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
 "swapon": (167, 224), "acct": (163, 89), "syslog": (103, 116), "quotactl": (179, 60), "personality": (135, 92),
 "memfd_create": (319, 279), "memfd_secret": (447, 447), "seccomp": (317, 277), "capset": (126, 91),
 "setuid": (105, 146), "setgid": (106, 144), "setgroups": (116, 159), "setresuid": (117, 147), "setfsuid": (122, 151),
 "sched_setscheduler": (144, 119), "mlockall": (151, 230), "sethostname": (170, 161), "settimeofday": (164, 170),
 "clock_settime": (227, 112), "adjtimex": (159, 171), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
 "mq_open": (240, 180), "fanotify_init": (300, 262), "inotify_init1": (294, 26), "fsopen": (430, 430),
 "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442), "clone": (56, 220),
 "clone3": (435, 435), "socket": (41, 198), "vmsplice": (278, 75), "process_madvise": (440, 440), "kcmp": (312, 272),
 "mknodat": (259, 33), "move_pages": (279, 239), "set_mempolicy": (238, 237), "io_setup": (206, 0),
 "pkey_alloc": (330, 289), "mbind": (237, 235), "getpid": (39, 172)}
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    number = SYSCALLS[name][platform.machine() == "aarch64"]
    given = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def attempt(attack):
    try:
        got = attack()
    except BaseException as error:
        print("refused", type(error).__name__, errno.errorcode.get(getattr(error, "errno", None), ""), error)
    else:
        print("ESCAPED", repr(got)[:300])

def read(path, most=10_000):
    with open(path, "rb") as file:
        return file.read(most)

def write(path, data=b"x", mode="wb"):
    with open(path, mode) as file:
        return file.write(data)

def need(condition, got=None):
    """Refuse on behalf of a system that answered, but gave nothing away."""
    if not condition:
        raise PermissionError(errno.EACCES, f"nothing there: {got!r}"[:300])
    return got
'''
"""What attackers bring along; it is run once in a session, in the open."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack; `answer` is what must be in what it prints, and `ESCAPED` must not."""

    name: str
    code: str
    answer: str = "refused (PermissionError EPERM|PermissionError EACCES|OSError ENOSYS)"


ABSENT: Final = "refused FileNotFoundError ENOENT|refused PermissionError EACCES"
READ_ONLY: Final = "refused OSError EROFS|refused PermissionError"


def _try(name: str, expression: str, answer: str | None = None) -> Attack:
    code = f"attempt(lambda: {expression})"
    return Attack(name, code, answer) if answer else Attack(name, code)


FILES: Final = [
    _try("the shadow file", 'read("/etc/shadow")', ABSENT),
    _try("the users", 'read("/etc/passwd")', ABSENT),
    _try("root's home", 'os.listdir("/root")', ABSENT),
    _try("homes", 'os.listdir("/home")', ABSENT),
    _try("a secret file", 'read(HOST["secret"])', ABSENT),
    _try("climbing", 'read("/mnt/data/" + "../" * 20 + HOST["secret"])', ABSENT),
    _try("the engine's code", 'read(HOST["code"])', ABSENT),
    _try("the engine's packages", 'need("openai" in os.listdir(HOST["packages"]))', ABSENT),
    _try("importing the engine", '__import__("toolkit.engine")', "refused ModuleNotFoundError"),
    _try("importing its packages", '__import__("openai")', "refused ModuleNotFoundError"),
    _try("what pip installed", '__import__("pip")', "refused ModuleNotFoundError"),
    _try("what the system runs", 'os.listdir("/run")', ABSENT),
    _try("the kernel's devices", 'os.listdir("/sys")', ABSENT),
    _try(
        "other roots",
        'need(set(os.listdir("/")) - {"usr", "lib", "lib64", "etc", "python", "packages", "worker", '
        '"proc", "dev", "mnt", "tmp"}, os.listdir("/"))',
        "refused PermissionError EACCES nothing there|EACCES",
    ),
    _try("what is in etc", 'need(set(os.listdir("/etc")) - {"ld.so.cache"}, os.listdir("/etc"))', "EACCES|ENOENT"),
    _try("writing into the root", 'write("/written")', READ_ONLY),
    _try("writing into the libraries", 'write("/usr/written")', READ_ONLY),
    _try(
        "changing the standard library",
        'write("/python/lib/python%d.%d/os.py" % sys.version_info[:2], b"#", "ab")',
        READ_ONLY,
    ),
    _try("a module for the next session", 'write("/python/lib/python%d.%d/evil.py" % sys.version_info[:2])', READ_ONLY),
    _try(
        "a .pth file for the next session",
        'write("/python/lib/python%d.%d/site-packages/evil.pth" % sys.version_info[:2])',
        "refused OSError EROFS|refused PermissionError|refused FileNotFoundError",
    ),
    _try("changing the worker", 'write("/worker/toolkit/sandbox/inside/worker.py", b"#", "ab")', READ_ONLY),
    _try("replacing Python", 'os.replace("/python/bin/python", "/mnt/data/p")', "EROFS|EXDEV|EACCES|EPERM"),
    _try("a hard link to Python", 'os.link("/python/bin/python", "/mnt/data/p")', "EXDEV|EPERM|EACCES|EROFS"),
    _try("removing the libraries", 'os.remove("/etc/ld.so.cache")', "EROFS|EACCES|EPERM|EBUSY"),
    _try("through a symbolic link", '(os.symlink(HOST["secret"], "/mnt/data/link"), read("/mnt/data/link"))', ABSENT),
    _try("through the first process", 'read("/proc/1/root" + HOST["secret"])', ABSENT),
    _try(
        "the first process's folder",
        'os.listdir("/proc/1/cwd/..")',
        "refused PermissionError|refused FileNotFoundError",
    ),
    _try(
        "open descriptors",
        'need([t for t in (os.readlink(f"/proc/self/fd/{f}") for f in range(3, 64) if '
        'os.path.lexists(f"/proc/self/fd/{f}")) if not t.startswith(("pipe:", "socket:", "/mnt", "/dev/null"))])',
        "nothing there",
    ),
    _try(
        "a descriptor of a folder outside",
        'need([f for f in range(64) if os.path.lexists(f"/proc/self/fd/{f}") and stat.S_ISDIR(os.fstat(f).st_mode)])',
        "nothing there",
    ),
]

SECRETS: Final = [
    _try("terminals", 'os.open("/dev/ptmx", os.O_RDONLY)', ABSENT),
    _try("the terminal of the engine", 'os.open("/dev/tty", os.O_RDWR)', ABSENT + "|ENXIO"),
    _try("the environment", 'need([v for v in os.environ.values() if HOST["mark"] in v])', "nothing there"),
    _try(
        "the environment it began with",
        'need(HOST["mark"].encode() in read("/proc/self/environ"))',
        "nothing there|refused PermissionError",
    ),
    _try(
        "the first process's environment",
        'need(HOST["mark"].encode() in read("/proc/1/environ") or len(read("/proc/1/environ")) > 10)',
        "nothing there|refused PermissionError",
    ),
    _try(
        "the first process's memory", 'open("/proc/1/mem", "rb").read(1)', "refused PermissionError|refused OSError EIO"
    ),
    _try("the first process's command", 'need(HOST["mark"].encode() in read("/proc/1/cmdline"))', "nothing there"),
    _try("the name of the machine", 'need(socket.gethostname() != "sandbox", socket.gethostname())', "nothing there"),
    _try("other processes", 'need(len([p for p in os.listdir("/proc") if p.isdigit()]) > 4)', "nothing there"),
    _try("a process outside", "read(f\"/proc/{HOST['victim']}/environ\")", ABSENT),
    _try(
        "the kernel's memory",
        'open("/proc/kcore", "rb").read(1)',
        "refused (PermissionError|FileNotFoundError|OSError)",
    ),
    _try("the kernel's log", 'os.open("/proc/kmsg", os.O_RDONLY)', "refused (PermissionError|FileNotFoundError)"),
    _try(
        "the kernel's addresses",
        'need([l for l in read("/proc/kallsyms").splitlines() if int(l.split()[0], 16)])',
        "nothing there|refused (PermissionError|FileNotFoundError)",
    ),
    _try("memory as a device", 'os.open("/dev/mem", os.O_RDONLY)', ABSENT),
    _try(
        "disks",
        'need([d for d in os.listdir("/dev") if d.startswith(("sd", "vd", "nvme", "loop", "dm"))])',
        "nothing there",
    ),
    _try(
        "keys of the machine",
        'need(len(read("/proc/keys").splitlines()) > 1, read("/proc/keys"))',
        "nothing there|refused",
    ),
    _try("the engine's memory", 'open(f"/proc/{HOST[\'engine\']}/mem", "rb")', ABSENT),
]

KERNEL: Final = [
    _try("the program for cores", 'write("/proc/sys/kernel/core_pattern", b"|/mnt/data/x")', READ_ONLY + "|ENOENT"),
    _try("the program for modules", 'write("/proc/sys/kernel/modprobe", b"/mnt/data/x")', READ_ONLY + "|ENOENT"),
    _try("the system's big red button", 'write("/proc/sysrq-trigger", b"h")', READ_ONLY + "|ENOENT"),
    _try("settings of the network", 'write("/proc/sys/net/ipv4/ip_forward", b"1")', READ_ONLY + "|ENOENT"),
    _try("being spared when memory is out", 'write("/proc/self/oom_score_adj", b"-1000")', "refused PermissionError"),
    _try(
        "becoming root by mapping", 'write("/proc/self/uid_map", b"0 0 1")', "refused PermissionError|refused OSError"
    ),
    _try(
        "giving groups up to gain files",
        'write("/proc/self/setgroups", b"allow")',
        "refused PermissionError|refused OSError",
    ),
    _try("another root", 'call("chroot", b"/mnt/data")'),
    _try("mounting memory", 'call("mount", b"tmpfs", b"/mnt/data", b"tmpfs", 0, 0)'),
    _try("mounting processes", 'call("mount", b"proc", b"/mnt/data", b"proc", 0, 0)'),
    _try("making the root writable", 'call("mount", 0, b"/", 0, 32 | 4096, 0)'),
    _try("uncovering what is below", 'call("umount2", b"/mnt/data", 2)'),
    _try("turning the root around", 'call("pivot_root", b"/", b"/mnt/data")'),
    _try("mounts by descriptors", 'call("fsopen", b"tmpfs", 0)'),
    _try("copies of mounts", 'call("open_tree", -100, b"/", 1)'),
    _try("moving mounts", 'call("move_mount", -100, b"/mnt", -100, b"/tmp", 0)'),
    _try("attributes of mounts", 'call("mount_setattr", -100, b"/", 0, bytes(32), 32)'),
    _try("a user namespace", 'call("unshare", 0x10000000)'),
    _try("a mount namespace", 'call("unshare", 0x00020000)'),
    _try("a network namespace", 'call("unshare", 0x40000000)'),
    _try("a child in a user namespace", 'call("clone", 0x10000000 | 17, 0, 0, 0, 0)'),
    _try("a child in a process namespace", 'call("clone", 0x20000000 | 17, 0, 0, 0, 0)'),
    _try("a child by the newer call", 'call("clone3", (ctypes.c_uint64 * 11)(0x10000000), 88)', "ENOSYS"),
    _try(
        "another's namespace",
        'call("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0)',
        "refused PermissionError|refused FileNotFoundError",
    ),
    _try("tracing the first process", 'call("ptrace", 16, 1, 0, 0)'),
    _try("being traced", 'call("ptrace", 0, 0, 0, 0)'),
    _try("reading another's memory", 'call("process_vm_readv", 1, bytes(16), 1, bytes(16), 1, 0)'),
    _try("writing another's memory", 'call("process_vm_writev", 1, bytes(16), 1, bytes(16), 1, 0)'),
    _try("taking a descriptor", 'call("pidfd_getfd", call("pidfd_open", 1, 0), 0, 0)'),
    _try("comparing processes", 'call("kcmp", 1, os.getpid(), 0, 0, 0)'),
    _try("advice on another's memory", 'call("process_madvise", 0, bytes(16), 1, 4, 0)'),
    _try("moving another's pages", 'call("move_pages", 1, 0, 0, 0, 0, 0)'),
    _try("programs in the kernel", 'call("bpf", 0, bytes(64), 64)'),
    _try("counters of the processor", 'call("perf_event_open", bytes(128), 0, -1, -1, 0)'),
    _try("faults of its own", 'call("userfaultfd", 1)'),
    _try("a ring of requests", 'call("io_uring_setup", 8, ctypes.create_string_buffer(256))'),
    _try("entering a ring", 'call("io_uring_enter", 3, 1, 1, 0, 0, 0)'),
    _try("requests of the older kind", 'call("io_setup", 8, ctypes.create_string_buffer(8))'),
    _try("adding a key", 'call("add_key", b"user", b"x", b"y", 1, -3)'),
    _try("asking for a key", 'call("request_key", b"user", b"x", 0, -3)'),
    _try("reading keyrings", 'call("keyctl", 11, -3, ctypes.create_string_buffer(64), 64)'),
    _try("joining a keyring", 'call("keyctl", 1, 0)'),
    _try("files by handle", 'call("open_by_handle_at", -100, bytes(64), 0)'),
    _try("handles of files", 'call("name_to_handle_at", -100, b"/", bytes(64), bytes(8), 0)'),
    _try("a module", 'call("init_module", bytes(64), 64, b"")'),
    _try("a module from a file", 'call("finit_module", 0, b"", 0)'),
    _try("removing a module", 'call("delete_module", b"ext4", 0)'),
    _try("another kernel", 'call("kexec_load", 0, 0, 0, 0)'),
    _try("turning the machine off", 'call("reboot", 0xfee1dead, 672274793, 0x4321fedc, 0)'),
    _try("swapping", 'call("swapon", b"/mnt/data/x", 0)'),
    _try("accounting", 'call("acct", b"/mnt/data/x")'),
    _try("the kernel's messages", 'call("syslog", 3, ctypes.create_string_buffer(64), 64)'),
    _try("quotas", 'call("quotactl", 0, b"/", 0, 0)'),
    _try("another personality", 'call("personality", 0x0040000)'),
    _try("files without names", 'call("memfd_create", b"x", 0)'),
    _try("memory nobody sees", 'call("memfd_secret", 0)'),
    _try("pages as gifts", 'call("vmsplice", 1, bytes(16), 1, 0)'),
    _try("watching all files", 'call("fanotify_init", 0, 0)'),
    _try("watching some files", 'call("inotify_init1", 0)'),
    _try("shared memory of System V", 'call("shmget", 1, 4096, 0o1777)'),
    _try("messages of System V", 'call("msgget", 1, 0o1777)'),
    _try("semaphores of System V", 'call("semget", 1, 1, 0o1777)'),
    _try("queues of messages", 'call("mq_open", b"x", os.O_CREAT | os.O_RDWR, 0o777, 0)'),
    _try("protection keys", 'call("pkey_alloc", 0, 0)'),
    _try("placing memory", 'call("mbind", 0, 4096, 1, 0, 0, 0)'),
    _try("another filter", 'call("seccomp", 1, 0, bytes(16))'),
    _try("no filter", 'libc.prctl(22, 0, 0, 0, 0) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), "prctl"))'),
    _try("a disk of its own", 'os.mknod("/mnt/data/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0))'),
    _try("memory of its own", 'os.mknod("/mnt/data/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))'),
    _try("typing into a terminal", '__import__("fcntl").ioctl(0, 0x5412, b"x")'),
    _try(
        "calls by another numbering",
        "libc.syscall(ctypes.c_long(0x40000000 + 39)) == -1 and "
        '(_ for _ in ()).throw(OSError(ctypes.get_errno(), "x32"))',
        "refused (PermissionError EPERM|OSError ENOSYS)",
    ),
]

USERS: Final = [
    _try("being root", "need(os.getuid() == 0, os.getuid())", "nothing there"),
    _try("becoming root", "os.setuid(0)"),
    _try("becoming root's group", "os.setgid(0)"),
    _try("all of root", "os.setresuid(0, 0, 0)"),
    _try("root's files", 'call("setfsuid", 0)'),
    _try("other groups", "os.setgroups([0])"),
    _try(
        "capabilities",
        'need([l for l in read("/proc/self/status").decode().splitlines() if '
        'l.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb")) and int(l.split()[1], 16)])',
        "nothing there",
    ),
    _try("taking capabilities", 'call("capset", bytes([0x26, 8, 8, 0x20, 0, 0, 0, 0]), b"\\xff" * 24)'),
    _try("privileges by programs", 'need(b"NoNewPrivs:\\t1" not in read("/proc/self/status"))', "nothing there"),
    _try("no filter any more", 'need(b"Seccomp:\\t2" not in read("/proc/self/status"))', "nothing there"),
    _try(
        "programs of other users",
        'need([f for d, _, n in os.walk("/usr") for f in n if not os.path.islink('
        "os.path.join(d, f)) and os.stat(os.path.join(d, f)).st_mode & 0o6000])",
        "nothing there",
    ),
    _try("a file of root's", '(write("/mnt/data/s"), os.chown("/mnt/data/s", 0, 0))'),
    _try("going first", "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"),
    _try("going before others", "os.setpriority(os.PRIO_PROCESS, 0, -10)"),
    _try("pages that stay", 'call("mlockall", 3)'),
    _try(
        "higher limits",
        "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)",
        "refused (ValueError|PermissionError)",
    ),
    _try(
        "more processes",
        "resource.setrlimit(resource.RLIMIT_NPROC, (10**6,) * 2)",
        "refused (ValueError|PermissionError)",
    ),
    _try("another name of the machine", 'socket.sethostname("x")'),
    _try("another time", "time.clock_settime(time.CLOCK_REALTIME, 0)"),
    _try("another time slowly", 'call("adjtimex", bytes([1]) + bytes(207))'),
]

PROCESSES: Final = [
    _try(
        "killing a process outside", 'os.kill(HOST["victim"], 9)', "refused ProcessLookupError|refused PermissionError"
    ),
    _try("killing the engine", 'os.kill(HOST["engine"], 9)', "refused ProcessLookupError|refused PermissionError"),
    Attack(
        "killing the first process",
        "attempt(lambda: (os.kill(1, 9), time.sleep(0.05), need(0)))",
        "nothing there|refused PermissionError",
    ),
    Attack(
        "stopping the parent",
        "attempt(lambda: (os.kill(os.getppid(), 19), need(0)))",
        "nothing there|refused PermissionError",
    ),
    Attack(
        "killing everybody",
        "signal.signal(15, signal.SIG_IGN)\nattempt(lambda: (os.kill(-1, 15), need(0)))",
        "nothing there|refused (PermissionError|ProcessLookupError)",
    ),
    _try(
        "slowing others down",
        'os.setpriority(os.PRIO_PROCESS, HOST["victim"], 19)',
        "refused (ProcessLookupError|PermissionError)",
    ),
]

BOMBS: Final = [
    Attack(
        "processes without end",
        """
children = []
def bomb():
    while True:
        pid = os.fork()
        if pid == 0:
            time.sleep(100)
            os._exit(0)
        children.append(pid)
attempt(bomb)
print(len(children), "children", len(children) < 70 or "ESCAPED")
for pid in children:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
""",
        r"refused BlockingIOError EAGAIN.*\n\d\d children",
    ),
    Attack(
        "threads without end",
        """
stop = threading.Event()
threads = []
def bomb():
    while True:
        threads.append(threading.Thread(target=stop.wait, daemon=True))
        threads[-1].start()
attempt(bomb)
stop.set()
for thread in threads[:-1]:
    thread.join()
print(len(threads), "threads", len(threads) < 70 or "ESCAPED")
""",
        r"refused RuntimeError.*can't start new thread.*\n\d\d threads",
    ),
]

NETWORK: Final = [
    _try("connecting to the host", 'socket.create_connection(HOST["tcp"], 1)'),
    _try("a datagram to the host", 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", HOST["udp"])'),
    _try("IPv6", "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)"),
    _try("raw packets", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    _try("packets of any kind", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)"),
    _try("settings of the network by socket", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
    _try("a socket of the host's, by path", 'socket.socket(socket.AF_UNIX).connect(HOST["unix"])'),
    _try("a socket of the host's, without path", 'socket.socket(socket.AF_UNIX).connect(HOST["abstract"])'),
    _try("the machine below", 'socket.socket(getattr(socket, "AF_VSOCK", 40), socket.SOCK_STREAM)'),
    _try("the kernel's cryptography", 'socket.socket(getattr(socket, "AF_ALG", 38), socket.SOCK_SEQPACKET)'),
    _try("Bluetooth", "socket.socket(31, socket.SOCK_RAW)"),
    _try("cars", "socket.socket(29, socket.SOCK_RAW)"),
    _try("fast packets", "socket.socket(44, socket.SOCK_RAW)"),
    _try("any family", "[socket.socket(f, k) for f in range(46) for k in (1, 2, 3, 5)]"),
    Attack(
        "every family in turn",
        """
there = 0
for family in range(64):
    for kind in (1, 2, 3, 5):
        try:
            call("socket", family, kind, 0)
            there += 1
        except OSError as error:
            last = error
print("refused" if not there else "ESCAPED", errno.errorcode[last.errno], there)
""",
        "refused EPERM 0",
    ),
    _try("pairs of another family", "socket.socketpair(socket.AF_INET)"),
    _try("serving", 'socket.create_server(("0.0.0.0", 8000))'),
    _try("names", 'socket.getaddrinfo("localhost.example", 80)', "refused gaierror"),
    _try(
        "a page",
        '__import__("urllib.request").request.urlopen("http://%s:%d/" % HOST["tcp"], timeout=1)',
        "refused URLError",
    ),
]

SIDEWAYS: Final = [
    Attack(
        "memory that is let go of and kept",
        """
import mmap
def hide():
    kept = mmap.mmap(-1, 2**24)
    kept.write(bytes(2**24))
    kept.madvise(mmap.MADV_DONTNEED)
    return kept
attempt(hide)
""",
    ),
    _try("the same by a device", 'os.open("/dev/zero", os.O_RDWR)', ABSENT),
    _try("a lease on the machine's files", '__import__("fcntl").fcntl(os.open(sys.executable, 0), 1024, 0)'),
    _try(
        "hearing who reads the machine's files",
        '__import__("fcntl").fcntl(os.open(os.path.dirname(os.__file__), os.O_RDONLY), 1026, 0x80000001)',
    ),
    _try(
        "a lock that other sessions see",
        '__import__("fcntl").flock(os.open(os.__file__, os.O_RDONLY), 2)',
        "refused OSError ENOLCK",
    ),
    _try("larger pipes", '__import__("fcntl").fcntl(os.pipe()[1], 1031, 2**20)'),
    _try("larger sockets", "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)"),
    _try("attributes of files", 'os.setxattr("/mnt/data", "user.x", b"x" * 1000)'),
    _try(
        "a program by descriptor",
        'libc.syscall(ctypes.c_long(322 if platform.machine() == "x86_64" else 281), '
        'os.open(sys.executable, os.O_RDONLY), b"", 0, 0, 0x1000) == -1 and '
        '(_ for _ in ()).throw(OSError(ctypes.get_errno(), "execveat"))',
    ),
    Attack(
        "a setuid program of its own",
        """
import shutil, subprocess
shutil.copy(sys.executable, "/mnt/data/python")
os.chmod("/mnt/data/python", 0o6755)
def become():
    code = "import os; print(os.getuid(), os.geteuid(), os.getegid())"
    done = subprocess.run(["/mnt/data/python", "-I", "-S", "-c", code], capture_output=True, text=True,
                          env={"PYTHONHOME": sys.prefix, "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")})
    ids = set(done.stdout.split())
    need(ids - {str(os.getuid()), str(os.getgid())} or not ids and done.returncode == 0, done.stderr)
attempt(become)
os.remove("/mnt/data/python")
""",
        "nothing there|refused PermissionError",
    ),
    Attack(
        "timers without end",
        """
made = 0
def timers():
    global made
    timer = ctypes.c_void_p()
    while made < 10_000:
        if libc.timer_create(1, None, ctypes.byref(timer)):
            raise OSError(ctypes.get_errno(), "timer_create")
        made += 1
attempt(timers)
print(made < 1000 or "ESCAPED")
""",
        "refused BlockingIOError EAGAIN|refused OSError",
    ),
    _try("how the machine was started", 'need(read("/proc/cmdline"))', "nothing there|" + ABSENT),
    _try("disks by their names", 'need(read("/proc/partitions") + read("/proc/diskstats"))', "nothing there|" + ABSENT),
    _try("locks of other processes", 'need(read("/proc/locks"))', "nothing there|" + ABSENT),
    _try("what drives the machine", 'need(read("/proc/modules"))', "nothing there|" + ABSENT),
    _try("file systems of the machine", 'need(os.listdir("/proc/fs"))', "nothing there|" + ABSENT),
    _try("how busy the machine is", 'need(os.listdir("/proc/pressure"))', "nothing there|" + ABSENT),
    Attack(
        "a device by moving a file",
        """
write("/mnt/data/moved")
def whiteout():
    if libc.renameat2(-100, b"/mnt/data/moved", -100, b"/mnt/data/moved2", 4):
        raise OSError(ctypes.get_errno(), "renameat2")
    os.open("/mnt/data/moved", os.O_RDONLY)
attempt(whiteout)
for name in ("moved", "moved2"):
    os.path.lexists("/mnt/data/" + name) and os.remove("/mnt/data/" + name)
""",
        "refused (PermissionError|OSError (EINVAL|ENXIO))",
    ),
]
"""What is shared without being a file, or is only seen: memory that nobody counts, marks on what sessions have in
common, and the machine's own affairs."""

RESOURCES: Final = [
    _try("memory without end", "bytearray(8 * 2**30)", "refused MemoryError"),
    _try(
        "mapped memory without end",
        '__import__("mmap").mmap(-1, 8 * 2**30, 0x22)',
        "refused (MemoryError|OSError ENOMEM)",
    ),
    _try(
        "one big file",
        '[write("/mnt/data/big", bytes(2**20), "ab") for _ in range(300)]',
        "refused OSError (EFBIG|ENOSPC)",
    ),
    Attack(
        "a file larger than is said",
        """
def sparse():
    with open("/mnt/data/sparse", "wb") as file:
        file.truncate(2**40)
attempt(sparse)
""",
        "refused OSError EFBIG",
    ),
    Attack(
        "all of the disk",
        """
def fill():
    for number in range(10_000):
        write(f"/mnt/data/fill{number}", bytes(2**23))
attempt(fill)
for name in os.listdir("/mnt/data"):
    if name.startswith(("fill", "big")):
        os.remove("/mnt/data/" + name)
""",
        "refused OSError ENOSPC",
    ),
    Attack(
        "all of /tmp",
        """
def fill():
    for number in range(10_000):
        write(f"/tmp/fill{number}", bytes(2**23))
attempt(fill)
for name in os.listdir("/tmp"):
    os.path.isfile("/tmp/" + name) and os.remove("/tmp/" + name)
""",
        "refused OSError ENOSPC",
    ),
    Attack(
        "all of shared memory",
        """
attempt(lambda: [write("/dev/shm/fill", bytes(2**20), "ab") for _ in range(200)])
os.remove("/dev/shm/fill")
""",
        "refused OSError ENOSPC",
    ),
    Attack(
        "files without end",
        """
opened = []
attempt(lambda: [opened.append(os.open("/dev/null", os.O_RDONLY)) for _ in range(10_000)])
for descriptor in opened:
    os.close(descriptor)
print(len(opened), len(opened) < 300 or "ESCAPED")
""",
        r"refused OSError EMFILE.*\n2\d\d True",
    ),
    _try("a core file", "need(resource.getrlimit(resource.RLIMIT_CORE)[1])", "nothing there"),
]

ATTACKS: Final = [*FILES, *SECRETS, *KERNEL, *USERS, *PROCESSES, *BOMBS, *NETWORK, *SIDEWAYS, *RESOURCES]
