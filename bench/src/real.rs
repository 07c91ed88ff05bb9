//! A real server, standalone, from Debian's packages.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{cores, processes::serve_until_alone};

const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-nop.jar"];
const START_MAX: Duration = Duration::from_secs(60);
/// A starting server tells nobody that it serves.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How often what is not needed any more is deleted. Writes fill a hundred megabytes in less than this.
const TRIM_EVERY: Duration = Duration::from_secs(5);

/// Serves on a free port, on the core of the servers.
pub(crate) fn serve() -> io::Result<()> {
    cores::pin_to_the_servers();
    let server = Real::start()?;
    let data = server.folder.join("data/version-2");
    thread::spawn(move || {
        loop {
            thread::sleep(TRIM_EVERY);
            trim(&data);
        }
    });
    serve_until_alone(server.addr, server.child.id())
}

/// A server's process and folder, gone when this is dropped.
struct Real {
    child: Child,
    addr: SocketAddr,
    folder: PathBuf,
}

impl Real {
    /// Starts one. Its data is in memory: the disk is not what is measured.
    fn start() -> io::Result<Self> {
        if let Some(jar) = JARS.into_iter().find(|jar| !Path::new(jar).exists()) {
            let words = "apt-get install default-jre-headless libzookeeper-java";
            return Err(io::Error::other(format!("{jar} is missing: {words}")));
        }
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = above.join(format!("quorate-bench-{}", std::process::id()));
        fs::create_dir_all(folder.join("data"))?;
        let addr = free_addr()?;
        let config = format!(
            "tickTime=2000\ndataDir={}\nclientPort={}\nclientPortAddress={}\nmaxClientCnxns=0\n\
             admin.enableServer=false\n4lw.commands.whitelist=*\n",
            folder.join("data").display(),
            addr.port(),
            addr.ip(),
        );
        fs::write(folder.join("zoo.cfg"), config)?;
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new("java");
        command
            .args(["-Xmx1g", "-XX:ActiveProcessorCount=2", "-Djava.net.preferIPv4Stack=true"])
            .args(["-Dzookeeper.forceSync=no", "-cp", &JARS.join(":")])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(folder.join("zoo.cfg"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn()?;
        let mut server = Self { child, addr, folder };
        server.wait_serving()?;
        Ok(server)
    }

    fn wait_serving(&mut self) -> io::Result<()> {
        let started = Instant::now();
        while !serves(self.addr) {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("the server ended with {status}:\n{log}")));
            }
            if started.elapsed() > START_MAX {
                return Err(io::Error::other(format!("the server does not serve after {START_MAX:?}")));
            }
            thread::sleep(ASK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Deletes what a server that is never started again does not need, and what fills the memory.
fn trim(data: &Path) {
    let Ok(files) = fs::read_dir(data) else { return };
    let aged = |file: fs::DirEntry| Some((file.metadata().ok()?.modified().ok()?, file.path()));
    let mut files: Vec<_> = files.flatten().filter_map(aged).collect();
    files.sort();
    // The newest log, and perhaps a snapshot, are being written.
    files.truncate(files.len().saturating_sub(4));
    for (_, path) in files {
        // If it stays, the next time will do.
        let _ = fs::remove_file(path);
    }
}

fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn serves(addr: SocketAddr) -> bool {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"srvr")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("Mode: "))
}
