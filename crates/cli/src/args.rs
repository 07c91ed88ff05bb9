//! What can be said on the command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use quorate::{Key, Pointer, Prefix};

use crate::commands::sync::SyncArgs;
use crate::demo::DemoArgs;
use crate::input::Input;

/// The longest time that can be given. Beyond it clocks overflow.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What the options of every command stand below in the help.
const GLOBAL: &str = "Global options";

const AFTER_HELP: &str = "\
Options of zk:// and zks://, as in zks://h1,h2,h3/prod?ca=ca.pem&auth=digest:@zk.login&acl=creator:
  session_timeout=15s   how long locks and listeners outlive a silent client
  busy_poll=1ms         look for an answer so long before sleeping: faster, takes a core
  auth=digest:@FILE     the user and password in FILE, one line user:password
  auth=digest:$NAME     the same from the environment variable NAME (quote the URL)
  auth=sasl:@FILE       by SASL DIGEST-MD5; or sasl:$NAME
  acl=open              what is made may be changed by everybody (default)
  acl=creator           only by the identities of whoever made it
  acl=read              the same, and everybody may read
  ca=FILE               zks: the authorities to trust, instead of those of the system
  cert=FILE&key=FILE    zks: the certificate of this client and its key

Exit codes:
  0    done
  1    failed: undecodable, too large, refused, a patch that cannot be applied
  2    usage: bad key, bad URL or option, bad JSON
  3    conflict: a failed patch `test`, --if-revision
  4    not found: a DIR, key or --path that is not there
  5    timed out or unreachable
  130  interrupted";

/// Live, shared state: look at it, change it, watch it, lock it.
///
/// A struct is one JSON document that lives at DIR, a key such as /agents/web, in a store. Data goes to standard
/// output, words go to standard error.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// The store: sqlite:PATH, zk://HOST:PORT,../CHROOT, zks:// for TLS, or mem:NAME [default: quorate/quorate.db
    /// in the data directory of this user]
    #[arg(long, global = true, value_name = "URL", env = crate::environment::STORE)]
    #[arg(hide_env_values = true, help_heading = GLOBAL)]
    pub(crate) store: Option<String>,
    /// The time for reaching the store and for waiting for a lock, as in 500ms, 10s or 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = duration)]
    #[arg(help_heading = GLOBAL)]
    pub(crate) timeout: Duration,
    /// Says on standard error what happens inside; twice says more
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = GLOBAL)]
    pub(crate) verbose: u8,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Get(GetArgs),
    Set(SetArgs),
    Patch(PatchArgs),
    Delete(DeleteArgs),
    Watch(WatchArgs),
    Follow(FollowArgs),
    Listeners(ListenersArgs),
    Lock(LockArgs),
    #[command(subcommand)]
    Kv(KvCommand),
    Sync(SyncArgs),
    Doctor(DoctorArgs),
    /// Shows the whole story on a temporary store, in under 20 s
    Demo(DemoArgs),
    /// Gives the terminal back to a process group
    #[command(hide = true)]
    Terminal {
        group: i32,
    },
}

/// Prints a struct, or a part of it, as JSON
///
/// On a terminal it is indented, everywhere else it is one line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate get /agents/web --path /processes/0")]
pub(crate) struct GetArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// Only this part, as a JSON Pointer (RFC 6901)
    #[arg(long, value_name = "POINTER", value_parser = Pointer::parse)]
    pub(crate) path: Option<Pointer>,
    /// Has a quorum prove that it is the newest
    #[arg(long)]
    pub(crate) consistent: bool,
    /// Prints one line {"revision":..,"value":..}
    #[arg(long)]
    pub(crate) json: bool,
}

/// Creates or replaces a struct, or sets a part of it, under its lock
///
/// What is there is replaced even if it cannot be decoded. The same content again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate set /agents/web '{\"processes\":[]}'\n         \
                        quorate set /agents/web --path /processes/- '\"firefox*\"'")]
pub(crate) struct SetArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// The value, - for standard input, or @FILE
    #[arg(value_name = "JSON|-|@FILE", allow_negative_numbers = true)]
    pub(crate) json_value: Input,
    /// Sets only this part; its parent must exist, and /- at the end of an array appends
    #[arg(long, value_name = "POINTER", value_parser = Pointer::parse)]
    pub(crate) path: Option<Pointer>,
    /// Only if the struct has this revision; 0: only if it does not exist
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) if_revision: Option<u64>,
    /// Prints one line {"revision":..}
    #[arg(long)]
    pub(crate) json: bool,
}

/// Applies a JSON Patch (RFC 6902) to a struct, under its lock
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate patch /agents/web \
                        '[{\"op\":\"add\",\"path\":\"/processes/-\",\"value\":\"firefox*\"}]'")]
pub(crate) struct PatchArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// The patch, - for standard input, or @FILE
    #[arg(value_name = "PATCH|-|@FILE")]
    pub(crate) patch: Input,
    /// Prints one line {"revision":..}
    #[arg(long)]
    pub(crate) json: bool,
}

/// Removes a struct and its directories
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate delete /agents/web")]
pub(crate) struct DeleteArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// Only if the struct has this revision
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) if_revision: Option<u64>,
}

/// Prints a struct, then each of its changes, field by field
///
/// It is registered as a listener before it prints the struct, and goes on until it is interrupted. Nothing is said
/// of the store while all is well; `status` lines tell when that changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate watch /agents/web --json --until 1")]
pub(crate) struct WatchArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// Prints JSON lines: snapshot, changes, rejected, deleted, status
    #[arg(long)]
    pub(crate) json: bool,
    /// Ends after N lines of changes
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) until: Option<u64>,
    /// Whether to wait for a struct that does not exist; with `no` that ends with 4
    #[arg(long, value_name = "YES|NO", default_value = "yes")]
    pub(crate) wait: Wait,
}

/// Whether to wait for what does not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    Yes,
    No,
}

/// Prints the JSON values below a prefix, then what is new, updated or deleted there
///
/// It goes on until it is interrupted. A value that is no JSON is rejected, and the one before it stays; for raw bytes
/// there is `kv watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate follow /nodes --json")]
pub(crate) struct FollowArgs {
    /// What is below this key; / is everything
    #[arg(value_parser = Prefix::parse)]
    pub(crate) prefix: Prefix,
    /// Prints JSON lines: new, updated, deleted, rejected, synced, batch_done
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints who listens to a struct, one a line
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate listeners /agents/web --json")]
pub(crate) struct ListenersArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// Prints lines {"id":..,"host":..,"process":..,"since":..}
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs a command under the write lock of a struct
///
/// The command finds QUORATE_LOCK (the lock's entry), QUORATE_TOKEN (its fencing token) and QUORATE_STORE in its
/// environment; `set`, `patch` and `delete` on that struct inside it commit through that lock. The exit code is that
/// of the command. If the lock is lost the command is told to end (TERM, after 5 s KILL), and the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate lock /agents/web -- ./rotate.sh")]
pub(crate) struct LockArgs {
    /// The struct
    #[arg(value_parser = Key::parse)]
    pub(crate) dir: Key,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Raw keys and their bytes
#[derive(Debug, Subcommand)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) enum KvCommand {
    /// Prints the bytes of a value
    #[command(after_help = "Example: quorate kv get /agents/web/payload")]
    Get {
        /// The key, such as /agents/web/payload
        #[arg(value_parser = Key::parse)]
        key: Key,
        /// Prints one line {"key":..,"revision":..,"value":..}, or "value_base64" where it is not UTF-8
        #[arg(long)]
        json: bool,
    },
    /// Sets a value, which may not be empty
    #[command(after_help = "Example: quorate kv put /motd hello")]
    Put {
        /// The key, such as /agents/web/payload
        #[arg(value_parser = Key::parse)]
        key: Key,
        /// The value, - for standard input, or @FILE
        #[arg(value_name = "VALUE|-|@FILE", allow_negative_numbers = true)]
        value: Input,
        /// Only if the key has this revision; 0: only if it does not exist
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        if_revision: Option<u64>,
        /// Prints one line {"revision":..}
        #[arg(long)]
        json: bool,
    },
    /// Deletes a key
    #[command(after_help = "Example: quorate kv delete /motd")]
    Delete {
        /// The key, such as /agents/web/payload
        #[arg(value_parser = Key::parse)]
        key: Key,
        /// Only if the key has this revision
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        if_revision: Option<u64>,
    },
    /// Prints the keys below a prefix, one a line
    #[command(after_help = "Example: quorate kv list /agents")]
    List {
        /// What is below this key; / is everything
        #[arg(value_parser = Prefix::parse)]
        prefix: Prefix,
        /// Prints lines {"key":..,"revision":..,"value":..}
        #[arg(long)]
        json: bool,
    },
    /// Prints what is there, then each change
    #[command(after_help = "Example: quorate kv watch /agents/ --json")]
    Watch {
        /// A key; with a / at its end what is below it
        #[arg(value_name = "KEY|PREFIX")]
        what: String,
        /// Watches what is below the key
        #[arg(long)]
        prefix: bool,
        /// Prints lines {"type":"put",..} and {"type":"delete",..}
        #[arg(long)]
        json: bool,
    },
}

/// Reaches the store and says how it is doing
///
/// A key of its own is written and deleted to measure a commit; nothing is left behind.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: quorate --store zk://h1,h2,h3 doctor")]
pub(crate) struct DoctorArgs {
    /// Prints one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match duration {
        Duration::ZERO => Err("it must be greater than zero".to_owned()),
        long if long > TIMEOUT_MAX => Err("it must be at most a year".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_has_no_mistakes() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_option_of_a_store_url() {
        let help = Args::command().render_long_help().to_string();
        for option in ["session_timeout=", "busy_poll=", "auth=", "acl=", "ca=", "cert=", "key=", "zks://"] {
            assert!(help.contains(option), "{option}");
        }
    }

    #[test]
    fn durations_are_as_in_the_contract() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "10", "0s", "-1s", "2y", "soon"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
