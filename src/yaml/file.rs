//! Reading files from the disk: bytes to text, or why not.
//!
//! Takes a path, and returns text that is UTF-8, within the size limit and not binary. The only I/O of the workspace besides
//! the walk in `files`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// 64 MiB.
const LIMIT: u64 = 64 << 20;

/// Reads one file under the folder `root`.
pub(crate) fn text(root: &Path, file: &Arc<str>) -> Result<String, Box<Diagnostic>> {
    let fail = |error: std::io::Error| {
        let message = format!("this file cannot be read: {error}");
        Box::new(
            Diagnostic::whole(Code::Unreadable, file.clone(), message)
                .help("check that it is there, and that you may read it"),
        )
    };
    let path = root.join(&**file);
    let meta = std::fs::metadata(&path).map_err(fail)?;
    if !meta.is_file() {
        let error = Diagnostic::whole(Code::NotAFile, file.clone(), "this is not a file");
        return Err(Box::new(error.help("put a file there")));
    }
    let mut bytes = Vec::with_capacity(meta.len().min(LIMIT) as usize + 1);
    File::open(&path)
        .and_then(|open| open.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(fail)?;
    decode(file, bytes)
}

/// Bytes to text.
pub(crate) fn decode(file: &Arc<str>, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    let whole = |code, message: String, help: &str| {
        Err(Box::new(
            Diagnostic::whole(code, file.clone(), message).help(help),
        ))
    };
    if bytes.len() as u64 > LIMIT {
        return whole(
            Code::TooLarge,
            "this file is larger than 64 MiB".to_owned(),
            "split it into several files",
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return whole(
            Code::NotUtf8,
            "this file is written in UTF-16".to_owned(),
            "save it as UTF-8",
        );
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let readable = String::from_utf8_lossy(error.as_bytes());
        let before = &readable[..at];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..]
            .chars()
            .count() as u32
            + 1;
        let span = Span {
            start: at as u32,
            end: at as u32 + 3,
            line,
            column,
        };
        let message = format!("this file is not UTF-8: invalid byte {at} on line {line}");
        let source = SourceFile {
            file: file.clone(),
            text: &readable,
        };
        Box::new(
            source
                .error(Code::NotUtf8, span, message)
                .help("save it as UTF-8; a binary file is not YAML"),
        )
    })?;
    check(&SourceFile {
        file: file.clone(),
        text: &text,
    })?;
    Ok(text)
}

/// Refuses the characters that mark a binary file.
fn check(source: &SourceFile<'_>) -> Result<(), Box<Diagnostic>> {
    let Some(at) = source.text.find('\0') else {
        return Ok(());
    };
    let before = &source.text[..at];
    let line = before.matches('\n').count() as u32 + 1;
    let column = before[before.rfind('\n').map_or(0, |at| at + 1)..]
        .chars()
        .count() as u32
        + 1;
    let span = Span {
        start: at as u32,
        end: at as u32 + 1,
        line,
        column,
    };
    let message = format!("this is a binary file: byte {at}, on line {line}, is NUL");
    let error = source.error(Code::NotUtf8, span, message);
    Err(Box::new(error.help(
        "save it as UTF-8 text, or keep it out of the lead files' folder",
    )))
}
