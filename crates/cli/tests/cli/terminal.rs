//! `lock` on a terminal: the command has it while it runs, and whoever ran `lock` has it back.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::Place;

/// A shell script on a terminal of its own, and the other end of that terminal.
struct Terminal {
    shell: Child,
    end: File,
}

impl Terminal {
    fn run(place: &Place, script: &str) -> Self {
        let end: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
        let other = File::options().read(true).write(true).open(name).unwrap();
        let same = || Stdio::from(other.try_clone().unwrap());
        let environment = place.shell(script);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", "sh", "-c", script]);
        for (name, value) in environment.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let shell = command.stdin(same()).stdout(same()).stderr(same()).spawn().unwrap();
        Self { shell, end: end.into() }
    }

    /// Reads until this text came.
    fn expect(&mut self, text: &str) {
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(text.as_bytes()) {
            self.end.read_exact(&mut byte).unwrap_or_else(|_| {
                panic!("the terminal was closed before {text:?}: {}", String::from_utf8_lossy(&seen))
            });
            seen.extend(byte);
        }
    }

    fn send(&mut self, text: &str) {
        self.end.write_all(text.as_bytes()).unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn the_command_reads_the_terminal_and_the_script_around_it_does_so_afterwards() {
    let place = Place::new();
    let script = "\"$QUORATE_BIN\" lock /a -- sh -c 'echo ready; read x; echo got $x'; read y; echo then $y";
    let mut terminal = Terminal::run(&place, script);
    terminal.expect("ready");
    terminal.send("one\n");
    terminal.expect("got one");
    terminal.send("two\n");
    terminal.expect("then two");
}

#[test]
fn an_interrupt_key_reaches_the_command_and_not_the_lock() {
    let place = Place::new();
    let command = "trap \"echo told; exit 9\" INT; read x; echo in $x; while :; do sleep 0.05; done";
    let script = format!("\"$QUORATE_BIN\" lock /a -- sh -c '{command}'; echo code $?");
    let mut terminal = Terminal::run(&place, &script);
    // It can read, so it has the terminal.
    terminal.send("front\n");
    terminal.expect("in front");
    terminal.send("\u{3}");
    terminal.expect("told");
    terminal.expect("code 9");
}

#[test]
fn a_command_that_is_stopped_goes_on_since_it_holds_the_lock() {
    let place = Place::new();
    let script = "\"$QUORATE_BIN\" lock /a -- sh -c 'echo ready; read x; echo got $x'; echo code $?";
    let mut terminal = Terminal::run(&place, script);
    terminal.expect("ready");
    terminal.send("\u{1a}");
    terminal.send("one\n");
    terminal.expect("code 0");
}

#[test]
fn a_document_is_indented_on_a_terminal() {
    let place = Place::new();
    place.ok(["set", "/a", "[1]"]);
    let mut terminal = Terminal::run(&place, "\"$QUORATE_BIN\" get /a");
    terminal.expect("[\r\n  1\r\n]");
}

#[test]
fn changes_are_coloured_on_a_terminal() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let mut terminal = Terminal::run(&place, "unset NO_COLOR; TERM=xterm \"$QUORATE_BIN\" watch /a");
    terminal.expect("\u{1b}[36m= revision");
    place.ok(["set", "/a", "2"]);
    terminal.expect("\u{1b}[33m~ (all) 1 -> 2\u{1b}[0m");
}

#[test]
fn progress_is_one_line_that_is_written_over() {
    let (place, other) = (Place::new(), Place::new());
    place.ok(["kv", "put", "/a/x", "v"]);
    let script = format!("\"$QUORATE_BIN\" sync $QUORATE_STORE {} /a", other.url());
    let mut terminal = Terminal::run(&place, &script);
    terminal.expect("in sync: 1 keys, 1 written (1 bytes)");
    place.ok(["kv", "put", "/a/y", "v"]);
    terminal.expect("\r2 keys, 2 written (2 bytes), 0 deleted\u{1b}[K");
    terminal.send("\u{3}");
}
