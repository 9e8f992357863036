//! Pages that are far larger than any platform's: memory is bounded whatever a server sends, and however many requests are open.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};

use tempfile::TempDir;

use crate::Scale;
use crate::measure::{median, program, run};
use crate::table::{Limit, Table};

/// Pages of the list of leads.
const PAGES: u32 = 40;
/// Records of a page. Each is 64 bytes, so that a page has 25.6 MB.
const RECORDS: u32 = 400_000;
/// Every n-th record of a page is declared.
const EVERY: usize = 50_000;
/// Requests at a time.
const WIDTHS: [usize; 2] = [8, 64];

pub(crate) fn rows(scale: &Scale, table: &mut Table) {
    let name =
        |width: &usize| format!("`plan --full`, peak memory, pages of 26 MB, {width} at a time");
    if !WIDTHS.iter().any(|width| table.wants(&name(width))) {
        return;
    }
    let url = serve();
    for width in WIDTHS {
        let what = name(&width);
        if !table.wants(&what) {
            continue;
        }
        let folder = workspace(&url, width);
        let mut command = program();
        command.args(["plan", "--full", "-C"]).arg(folder.path());
        let peak = median((0..scale.runs).map(|_| run(&command).peak));
        let note = format!("{PAGES} pages of {RECORDS} records");
        table.add(&what, peak, Limit::AtMost(250.0), " MiB", note);
    }
}

fn workspace(url: &str, width: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "version: 1\napi: {{ endpoint: \"{url}\", concurrency: {width}, {} }}\n",
        crate::files::CONFIG_IDS
    );
    std::fs::write(folder.path().join("convertalk.yaml"), config).expect("a file");
    let mut text = "version: 1\nleads:\n".to_owned();
    for page in 1..=PAGES {
        for record in (0..RECORDS).step_by(EVERY) {
            writeln!(text, "  {}: {{ status: CLOSED }}", uuid(page, record)).expect("text");
        }
    }
    std::fs::create_dir(folder.path().join("leads")).expect("a folder");
    std::fs::write(folder.path().join("leads/all.yaml"), text).expect("a file");
    folder
}

fn uuid(page: u32, record: u32) -> String {
    format!("{page:08x}-0000-4000-8000-{record:012x}")
}

/// Serves the pages until the benchmark ends.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A reader that has seen enough closes its connections.
            std::thread::spawn(move || drop(answer(stream)));
        }
    });
    url
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if requests.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let page = head
            .split_once("&page=")
            .and_then(|(_, rest)| rest.split(['&', ' ']).next()?.parse().ok());
        let page = page.filter(|page| head.contains("type=lead") && (1..=PAGES).contains(page));
        send(&mut stream, page)?;
    }
}

/// A page, or an empty one.
fn send(stream: &mut TcpStream, page: Option<u32>) -> std::io::Result<()> {
    const START: &str = r#"{"success":true,"data":["#;
    const END: &str = "]}";
    let records = page.map_or(0, |_| RECORDS);
    let record = |number| {
        let uuid = uuid(page.unwrap_or_default(), number);
        let comma = if number + 1 == records { "" } else { "," };
        format!(r#"{{"uuid":"{uuid}","status":"OPEN"}}{comma}"#)
    };
    // All but the last one are equally long.
    let length = match records {
        0 => 0,
        _ => record(0).len() * records as usize - 1,
    };
    let length = START.len() + length + END.len();
    let mut out = BufWriter::with_capacity(1 << 16, stream);
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{START}"
    )?;
    for number in 0..records {
        out.write_all(record(number).as_bytes())?;
    }
    out.write_all(END.as_bytes())?;
    out.flush()
}
