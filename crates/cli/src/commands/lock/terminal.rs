//! The terminal, lent to a command that runs in a process group of its own.
//!
//! Only the group in front may read from a terminal, and Ctrl-C goes to it alone. So the command's group is put in
//! front while it runs. Who is not in front is stopped when it tries to change that, unless it ignores SIGTTOU, which
//! a program can arrange for another one only: so the way back is taken by a shell that ignores it and runs this
//! program again.

use std::io::{self, IsTerminal};
use std::process::Command;

use rustix::process::{Pid, getpgrp};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

use crate::exit::{Exit, Failure, Result};

/// A terminal that is lent. Dropping it takes it back.
#[derive(Debug)]
pub(super) struct Terminal(());

impl Terminal {
    /// Lends the terminal to a group, if this program has one and is in front.
    pub(super) fn lend(group: Pid) -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() || tcgetpgrp(&stdin).ok()? != getpgrp() {
            return None;
        }
        tcsetpgrp(&stdin, group).ok().map(|()| Self(()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Ok(program) = std::env::current_exe() else { return };
        let group = getpgrp().as_raw_nonzero().to_string();
        // If it cannot be taken back, the shell that started this program takes it.
        let _ = Command::new("/bin/sh")
            .args(["-c", "trap '' TTOU; exec \"$0\" terminal \"$1\""])
            .arg(program)
            .arg(group)
            .status();
    }
}

/// Puts a group in front. Run with SIGTTOU ignored.
pub(crate) fn give(group: i32) -> Result {
    let group = Pid::from_raw(group).ok_or_else(|| Failure::usage("0 is no process group"))?;
    tcsetpgrp(io::stdin(), group).map_err(Failure::failed)?;
    Ok(Exit::Done)
}
