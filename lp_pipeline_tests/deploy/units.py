"""The units of `deploy/systemd/`, read and started as systemd would, but with this checkout's program, in a folder of
the test, on ports that are free. What a unit asks the kernel for (its own user, sandboxing) is not done here.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.drills.deployment import free_port

FOLDER = REPOSITORY / "deploy" / "systemd"
COMMON = FOLDER / "lp-pipeline-.service.d" / "common.conf"
SERVICES = ("code-server", "daemon", "web", "inbox")  # in the order in which they start
PATIENCE = 60.0  # seconds in which a unit ends after it was asked to


def settings_of(path: Path) -> list[tuple[str, str]]:
    """Every line `Name=value` of a unit, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and line[0] not in "#[")
    return [(name, value) for name, _, value in pairs]


def programs(folder: Path) -> Path:
    """This environment's programs, under a path without the blanks that a checkout's may have: units have none."""
    link = folder / "programs"
    link.symlink_to(Path(sys.executable).parent)
    return link


class Host:
    """Where the units find their things: the folders of a host, moved into one of the test's."""

    def __init__(self, root: Path, run: Path, variables: Mapping[str, str]) -> None:
        self.state, self.ports = root / "state", {"3000": free_port(), "8766": free_port()}
        self.settings = root / "etc" / "lp_pipeline.env"
        self.log = root / "log"
        self._credentials = root / "credentials"
        self._moved = {
            "/opt/lp-pipeline/venv/bin": str(programs(root)),
            "/var/lib/lp-pipeline": str(self.state),
            "/etc/lp-pipeline": str(self.settings.parent),
            "/run/lp-pipeline": str(run),
            "%d": str(self._credentials),
        }
        for folder in (self.state, self.settings.parent, self._credentials, self.log):
            folder.mkdir()
        self.settings.parent.joinpath("workspace.yaml").write_text(
            self._here((FOLDER.parent / "workspace.yaml").read_text(encoding="utf-8"))
        )
        self.settings.parent.joinpath("service.env").write_text(
            "".join(f"{name}={value}\n" for name, value in variables.items())
        )

    def _here(self, text: str) -> str:
        for there, here in self._moved.items():
            text = text.replace(there, here)
        for port, free in self.ports.items():
            text = text.replace(f"--port {port}", f"--port {free}")
        return text

    def address(self, port: str) -> str:
        """Of the service that has this port in its unit."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def command(self, line: str) -> list[str]:
        """A unit's command as it is run here; a health check is told the address."""
        command = shlex.split(self._here(line))
        at = {"web": self.address("3000"), "inbox": self.address("8766"), "code-server": self._here(SOCKET)}
        if command[1:2] == ["health"] and command[2] in at:
            command += ["--at", at[command[2]]]
        return command

    def start(self, name: str, files: Sequence[Path] = ()) -> "Unit":
        """Start a service, wait until its own health check says that it is ready. `files` are its unit and drop-ins, if
        they are not in `deploy/systemd/`; what a template's unit is started for is in `name`, after the @."""
        pairs = [
            (key, value.replace("%i", name.partition("@")[2]).replace("%%", "%"))
            for file in (COMMON, *(files or [FOLDER / f"lp-pipeline-{name}.service"]))
            for key, value in settings_of(file)
        ]
        given = {key: [value for found, value in pairs if found == key] for key, _ in pairs}
        environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environ["PYTHONPATH"] = str(REPOSITORY)
        environ |= dict(shlex.split(self._here(each))[0].split("=", 1) for each in given["Environment"])
        (file,) = given["EnvironmentFile"]
        lines = Path(self._here(file.removeprefix("-"))).read_text(encoding="utf-8").splitlines()
        environ |= dict(line.split("=", 1) for line in lines)
        for each in given.get("LoadCredential", []):
            to, _, source = each.partition(":")
            credential = self._credentials / to
            credential.unlink(missing_ok=True)
            credential.write_bytes(Path(self._here(source)).read_bytes())
            credential.chmod(0o400)
        for line in given.get("ExecStartPre", []):
            self.run(line, environ)
        (line,) = given["ExecStart"]
        with (self.log / name).open("ab") as log:
            process = subprocess.Popen(
                self.command(line),
                env=environ,
                cwd=self.state,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=int(given["UMask"][0], 8),
                process_group=0,
                preexec_fn=_plain_signals,
            )
        unit = Unit(name, process, environ)
        try:
            for line in given.get("ExecStartPost", []):
                self.run(line, environ)
        except BaseException:
            unit.kill()
            raise
        return unit

    def run(self, line: str, environ: Mapping[str, str]) -> None:
        """One command of a unit that has to succeed."""
        done = subprocess.run(
            self.command(line), env=environ, cwd=self.state, capture_output=True, text=True, timeout=300, umask=0o077
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}{self.logs()}"

    def logs(self) -> str:
        """All that the services wrote, as the journal has it."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.log.iterdir()))


SOCKET = "/run/lp-pipeline/code-server.sock"


class Unit:
    """A service that was started, with all that it starts."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], environ: Mapping[str, str]) -> None:
        self.name, self.process, self.environ = name, process, environ

    def stop(self) -> None:
        """As systemd does: SIGTERM to all of its processes; raises `TimeoutError` if one stays."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        """Whatever is left of it."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def processes(self) -> list[int]:
        """Those of its group that live."""
        return list(_group(self.process.pid))


def _group(group: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[2]) == group and fields[0] not in "ZX":
            yield int(stat.parent.name)


def _plain_signals() -> None:
    """A service manager ignores none for its services; the shell that started the tests may have."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
