"""The app: it reads the store and nothing else."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from esr_tui.masking.lens import Lens
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable
from esr_tui.tui.launch import Demo, recorded_shell
from esr_tui.tui.palette import Actions
from esr_tui.tui.player import IDLE
from esr_tui.tui.reading import sentence, watch
from esr_tui.tui.recorder import Recorder
from esr_tui.tui.screens.help import HelpScreen, entries
from esr_tui.tui.screens.recorder import RecorderScreen
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.screens.session_view import SessionView
from esr_tui.tui.screens.sessions import SessionsScreen
from esr_tui.tui.sources import Sources, store
from esr_tui.tui.stopping import Stop

THEME = "textual-dark"
COLLECT = (2000, 10, 100)
"""How often garbage is looked for, see gc.set_threshold: by default the app would stand still for 50 ms, while all that
is drawn is walked through, at every tenth seek."""
PATIENCE = 6
"""Half seconds that an ended demo is given for its session to show up."""


def style_sheet(name: str) -> Path:
    """A `.tcss` file, in the source tree or inside the installed package."""
    near = Path(__file__).resolve().parents[2] / "styles" / name
    return near if near.is_file() else Path(str(files("esr_tui.styles").joinpath(name)))


class EsrApp(App[None]):
    """Sessions, and the screen of one session."""

    TITLE = "esr"
    CSS_PATH = style_sheet("esr.tcss")
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = App.COMMANDS | {Actions}
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            show=False,
            priority=True,
            id="app.quit",
            tooltip="Leave esr; capture goes on",
        ),
        Binding(
            "u",
            "unmask",
            "Unmask",
            show=False,
            id="app.unmask",
            tooltip="Show passwords, tokens and keys, which marks (•) hide, or hide them again",
        ),
        Binding(
            "r",
            "recorder",
            "Recorder",
            show=False,
            id="app.recorder",
            tooltip="How the recorder is: sessions, losses, rings, disk, hooks",
        ),
        Binding("ctrl+t", "change_theme", "Theme", show=False, id="app.theme", tooltip="Choose the colours"),
        Binding(
            "ctrl+p",
            "command_palette",
            "Menu",
            show=False,
            priority=True,
            id="app.palette",
            tooltip="The command palette: every action by its name",
        ),
    ]

    class Listed(Message):
        """The catalogue changed, or cannot be read."""

        def __init__(self, found: list[SessionSummary] | str) -> None:
            super().__init__()
            self.found = found

    class Fares(Message):
        """How the recorder is now."""

        def __init__(self, recorder: Recorder) -> None:
            super().__init__()
            self.recorder = recorder

    def __init__(
        self,
        data_dir: Path,
        *,
        recording: Path | None = None,
        at: int | None = None,
        notice: str = "",
        recorder: Callable[[], Recorder] | None = None,
        demo: bool = False,
        record_command: list[str] | None = None,
        demo_command: list[str] | None = None,
        rules: Sequence[Path] = (),
        filters: Mapping[str, str] | None = None,
        idle: float = IDLE,
        lens: Lens | None = None,
        sources: Sources | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """The app over one store.

        Args:
            data_dir: the store's directory.
            recording: a recording's `.index` file to open at once.
            at: where that begins, in milliseconds since its start.
            notice: a sentence for the sessions screen, such as why capture does not run.
            recorder: says every second how the recorder is; called in a worker thread.
            demo: start the demo at once.
            record_command: argv of a recorded shell; None when none can be started.
            demo_command: argv of the demo; None when it cannot run.
            rules: files and folders of rules that the configuration names.
            filters: the filters that it saves, by name.
            idle: seconds of idle time that playing shows when the rest is skipped.
            lens: hides secrets; None hides nothing.
            sources: what is read instead of the store at `data_dir`.
            clock: monotonic seconds.
            wall: Unix seconds.
        """
        super().__init__()
        self.theme = THEME
        self._idle = idle
        self._sources = sources or store(data_dir, rules, filters, lens)
        self._place, self._recording, self._at, self._notice = str(data_dir), recording, at, notice
        self._recorder, self._demo_first = recorder, demo
        self._record_command, self._demo_command = record_command, demo_command
        self._clock, self._wall = clock, wall
        self._stop = Stop()
        self._demo: Demo | None = None
        self._ending: list[Demo] = []
        self._patience = 0
        self._looking = False
        self.fares = Recorder(notice)
        """How the recorder is, as far as anybody said."""

    def get_default_screen(self) -> Screen[None]:
        """The sessions."""
        self.sessions = SessionsScreen(
            self._sources, self._place, self._notice, clock=self._clock, wall=self._wall
        )
        return self.sessions

    def on_mount(self) -> None:
        """Starts watching the catalogue, and opens what was asked for."""
        gc.set_threshold(*COLLECT)
        self.run_worker(self._watch, thread=True, group="catalogue", exit_on_error=False)
        self.set_interval(0.5, self._check_demo)
        if self._recorder is not None:
            self.set_interval(1, self._look)
        if self._recording is not None:
            self._open(self._recording, None, self._at)

    def on_unmount(self) -> None:
        """Stops watching."""
        self._stop.set()

    def _watch(self) -> None:
        """In a worker thread."""
        watch(self._sources, self._listed, self._stop)

    def _listed(self, found: list[SessionSummary] | str) -> None:
        self.post_message(self.Listed(found))

    def on_esr_app_listed(self, message: Listed) -> None:
        """Shows the list, and opens the demo's session when it is there."""
        self.sessions.listed(message.found)
        if self._demo_first:
            # Not before the first list: what it holds is known not to be the demo's session.
            self._demo_first = False
            self.action_demo()
        if self._demo is None or isinstance(message.found, str):
            return
        if session := self._demo.session(message.found):
            self._ending.append(self._demo)
            self._demo = None
            self._open(Path(session.recording), session)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A failure nobody foresaw is still told in a sentence."""
        if event.state is WorkerState.ERROR:
            self._say(f"esr stopped looking for sessions: {sentence(Exception(event.worker.error))}")

    def on_sessions_screen_open(self, message: SessionsScreen.Open) -> None:
        """Opens a session."""
        self._open(Path(message.session.recording), message.session)

    def _open(self, path: Path, summary: SessionSummary | None, at: int | None = None) -> None:
        screen = SessionScreen(path, summary, self._sources, clock=self._clock, wall=self._wall)
        screen.at = at
        screen.skip_beyond = self._idle
        screen.note(self._notice)
        self.push_screen(screen)

    def on_session_view_damaged(self, message: SessionView.Damaged) -> None:
        """Reads the recording anew: what is kept beside it is only kept to be quick."""
        screen = message.screen
        if screen not in self.screen_stack:  # it was left meanwhile
            return
        while self.screen is not screen:
            self.pop_screen()
        self._sources.forget(screen.path)
        screen.dismiss(None)
        self._say(f"{message.why}: the recording is read anew.")
        self._open(screen.path, screen.summary)

    def _say(self, text: str, *, bad: bool = True) -> None:
        self.notify(printable(text, 600), severity="warning" if bad else "information", markup=False)

    # Actions.

    def action_record(self) -> None:
        """Lends the terminal to a recorded shell."""
        if self._record_command is None:
            self._say(
                self._notice or "This esr cannot start a recorded shell: run esr record in another terminal."
            )
            return
        self.sessions.rest()
        try:
            with self.suspend():
                status = recorded_shell(self._record_command)
        except SuspendNotSupported:
            self._say("This terminal cannot be lent to a shell: run esr record in another one.")
            return
        except OSError as error:
            self._say(f"The recorded shell did not start: {sentence(error)}")
            return
        finally:
            self.sessions.on_screen_resume()
        self._say(f"The recorded shell ended with status {status}.", bad=bool(status))

    def action_demo(self) -> None:
        """Runs the demo and opens its session."""
        if self._demo_command is None:
            self._say(self._notice or "This esr cannot run the demo: run esr demo as root.")
            return
        if self._demo is not None:
            self._say("The demo is starting.", bad=False)
            return
        try:
            self._demo = Demo(self._demo_command, self.sessions.sessions)
        except OSError as error:
            self._say(f"The demo did not start: {sentence(error)}")
            return
        self._patience = PATIENCE
        self._say("The demo is starting: its session opens by itself.", bad=False)

    def _look(self) -> None:
        """How the recorder fares; a store whose disk hangs keeps a thread waiting, and nobody else."""
        if self._recorder is not None and not self._looking:
            self._looking = True
            self.run_worker(partial(self._ask, self._recorder), thread=True, group="recorder")

    def _ask(self, recorder: Callable[[], Recorder]) -> None:
        """In a worker thread."""
        self.post_message(self.Fares(recorder()))

    def on_esr_app_fares(self, message: Fares) -> None:
        """Tells the screens."""
        self._looking = False
        self.fares, self._notice = message.recorder, message.recorder.notice
        self.sessions.note(self._notice, self.fares.lost)
        for screen in self.screen_stack:
            if isinstance(screen, SessionView):
                screen.note(self._notice)
            elif isinstance(screen, RecorderScreen):
                screen.show(self.fares)

    def action_recorder(self) -> None:
        """How the recorder is."""
        self.push_screen(RecorderScreen(self.fares))

    def _check_demo(self) -> None:
        self._ending = [demo for demo in self._ending if not demo.ended]
        if self._demo is None:
            return
        if problem := self._demo.failure():
            self._ending.append(self._demo)
            self._demo = None
            self._say(problem)
        elif self._demo.ended:
            self._patience -= 1
            if not self._patience:
                self._demo = None
                self._say("The demo has ended, but no session of it was recorded: run esr doctor.")

    def action_unmask(self) -> None:
        """Shows what is hidden, or hides it again; the header says which."""
        lens = self._sources.lens
        if not lens.lift():
            self._say("Masking is switched off in the configuration: nothing is hidden.", bad=False)
            return
        for screen in self.screen_stack:
            if isinstance(screen, SessionsScreen | SessionView):
                screen.lens_changed()

    def action_help(self) -> None:
        """Every key of the screen below."""
        bindings = list(self.screen.active_bindings.values())
        display = {each.binding.key: self.get_key_display(each.binding) for each in bindings}
        self.push_screen(HelpScreen(entries(bindings, display)))

    def _fatal_error(self) -> None:
        """Textual's own picture of a failure quotes variables, which hold what the recorded people wrote and typed."""
        found = traceback.format_exception(self._exception) if self._exception else []
        self.panic(*(Text(printable(line)) for line in "".join(found).splitlines()))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own commands that make sense here; the rest comes from the bindings."""
        yield SystemCommand("Screenshot", "Save a picture (SVG) of the screen", self.deliver_screenshot)
