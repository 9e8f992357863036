//! Rendering: a diagnostic as a compiler shows it.
//!
//! Takes a [`Diagnostic`], and returns text, plain or with colors. Its content is already escaped.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::yaml::diagnostic::{Diagnostic, Severity};
use crate::yaml::excerpt::{Excerpt, visible};

/// Draws `diagnostic`, without a line break at the end; with colours where `colour` says so.
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = visible(&diagnostic.file);
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let mut main = Group::with_title(title);
    main = match &diagnostic.excerpt {
        Some(excerpt) => place(
            main,
            excerpt,
            &file,
            diagnostic.column,
            AnnotationKind::Primary,
            diagnostic.label.as_deref(),
        ),
        None => main.element(Origin::path(file.as_str())),
    };
    let files: Vec<String> = diagnostic
        .related
        .iter()
        .map(|related| visible(&related.file))
        .collect();
    for (related, file) in diagnostic.related.iter().zip(&files) {
        main = match &related.excerpt {
            Some(excerpt) => place(
                main,
                excerpt,
                file,
                related.column,
                AnnotationKind::Context,
                Some(&related.message),
            ),
            None => main.element(Origin::path(file.as_str()).line(related.line as usize)),
        };
    }
    if let Some(help) = &diagnostic.help {
        main = main.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[main])
}

/// Adds a line of source. The renderer counts the column in what it shows; if that is cut or escaped, the column is given instead.
fn place<'a>(
    group: Group<'a>,
    excerpt: &'a Excerpt,
    file: &'a str,
    column: u32,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Group<'a> {
    let annotation = kind.span(excerpt.span.clone()).label(label);
    let snippet = Snippet::source(excerpt.text.as_str())
        .line_start(excerpt.line as usize)
        .fold(false)
        .annotation(annotation);
    let shown = excerpt
        .text
        .get(..excerpt.span.start)
        .map_or(0, |before| before.chars().count() + 1);
    if shown == column as usize {
        return group.element(snippet.path(file));
    }
    let origin = Origin::path(file)
        .line(excerpt.line as usize)
        .char_column(column as usize);
    group.element(origin).element(snippet)
}
