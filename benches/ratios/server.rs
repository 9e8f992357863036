//! The embedded API in a process of its own, its pages kept as they were sent, so that it is no part of what is measured.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::measure::this;

/// Chats on a page.
pub(crate) const PAGE: u32 = 200;

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// Pages of both lists.
    pub(crate) pages: [u32; 2],
}

impl Server {
    /// Serves generated chats, every tenth of them not a lead.
    pub(crate) fn start(leads: u32, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_convertalk"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--keep-pages", "4096"])
            .args([
                "--leads",
                &leads.to_string(),
                "--page-size",
                &PAGE.to_string(),
            ])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its words"))
            .read_line(&mut line)
            .expect("a line");
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .expect("an address")
            .to_owned();
        let others = leads / 10;
        Self {
            child,
            url,
            pages: [(leads - others).div_ceil(PAGE), others.div_ceil(PAGE)],
        }
    }

    /// The bare fetch of every page and of the two past the end of each list, with `width` requests at a time.
    pub(crate) fn fetch(&self, width: usize) -> Command {
        let mut command = this("bare");
        command
            .arg(&self.url)
            .args(self.pages.map(|pages| (pages + 2).to_string()))
            .arg(width.to_string());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to save.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
