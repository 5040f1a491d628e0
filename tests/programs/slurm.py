"""A Slurm of one node: munged, slurmctld and slurmd of Debian in a configuration, directories and ports of their own."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIGURATION = """
ClusterName=suture
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={control}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={top}/munge/socket
CryptoType=crypto/munge
StateSaveLocation={top}/state
SlurmdSpoolDir={top}/spool
SlurmctldPidFile={top}/slurmctld.pid
SlurmdPidFile={top}/slurmd.pid
SlurmctldLogFile={top}/slurmctld.log
SlurmdLogFile={top}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SchedulerType=sched/builtin
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be none here, or nothing."""
    if os.geteuid() != 0:
        return "it is started as root"
    return ", ".join(f"{name} is not installed" for name in (*DAEMONS, "sbatch") if not shutil.which(name))


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Slurm:
    """`top` is short: it has a socket."""

    def __init__(self, top):
        self.top, self.processes = pathlib.Path(top), []
        host, cpus = socket.gethostname().split(".")[0], len(os.sched_getaffinity(0))
        control, node = free_ports(2)
        for name in ("munge", "state", "spool"):
            (self.top / name).mkdir(mode=0o755)
        (self.top / "munge/key").write_bytes(os.urandom(128))
        (self.top / "munge/key").chmod(0o400)
        configuration = self.top / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(top=self.top, host=host, cpus=cpus, control=control, node=node))
        self.environment = {**os.environ, "SLURM_CONF": str(configuration)}
        munge = self.top / "munge"
        self.start("munged", "--foreground", "--force", f"--socket={munge}/socket", f"--key-file={munge}/key",
                   f"--log-file={munge}/log", f"--pid-file={munge}/pid", f"--seed-file={munge}/seed")
        self.wait_for(lambda: (munge / "socket").exists())
        self.start("slurmctld", "-D")
        self.start("slurmd", "-D", "-N", host)
        self.wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"))

    def start(self, *arguments):
        self.processes.append(subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def ask(self, *arguments):
        return subprocess.run(arguments, env=self.environment, capture_output=True, text=True, timeout=30).stdout

    def wait_for(self, condition, seconds=60):
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until or any(process.poll() is not None for process in self.processes):
                self.stop()
                raise TimeoutError("\n".join(path.read_text()[-2000:] for path in self.top.glob("*.log")))
            time.sleep(0.1)

    def submit(self, script):
        """Returns when all of it has ended."""
        done = subprocess.run(["sbatch", "--parsable", script], env=self.environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        self.wait_for(lambda: not self.ask("squeue", "-h", "-j", done.stdout.strip()).strip(), 300)

    def stop(self):
        """The processes that were started here, and no others."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
