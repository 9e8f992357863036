//! Rendering: a diagnostic as a compiler shows it.
//!
//! Given a [`Diagnostic`]; hands on text, plain or with colours. Everything in it was made safe when it was made.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity};
use super::excerpt::{Excerpt, visible};

/// Draws `diagnostic`, without a line break at the end; with colours where `colour` says so.
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = visible(&diagnostic.file);
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.rule);
    let mut main = Group::with_title(title);
    let origin = Origin::path(file.as_str());
    main = match &diagnostic.excerpt {
        Some(excerpt) => main
            .element(origin.line(diagnostic.line as usize).char_column(diagnostic.column as usize))
            .element(snippet(excerpt, AnnotationKind::Primary, diagnostic.label.as_deref())),
        None => main.element(origin),
    };
    let files: Vec<String> = diagnostic.related.iter().map(|related| visible(&related.file)).collect();
    for (related, file) in diagnostic.related.iter().zip(&files) {
        let origin = Origin::path(file.as_str()).line(related.line as usize).char_column(related.column as usize);
        main = main.element(origin);
        if let Some(excerpt) = &related.excerpt {
            main = main.element(snippet(excerpt, AnnotationKind::Context, Some(&related.message)));
        }
    }
    if let Some(help) = &diagnostic.help {
        main = main.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[main])
}

fn snippet<'a>(excerpt: &'a Excerpt, kind: AnnotationKind, label: Option<&'a str>) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotation = kind.span(excerpt.span.clone()).label(label);
    Snippet::source(excerpt.text.as_str()).line_start(excerpt.line as usize).fold(false).annotation(annotation)
}
