//! The table: what, measured, limit, and whether it holds.

/// What a figure is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Nothing: a case that no user meets, measured to see it change.
    None,
    AtMost(f64),
    AtLeast(f64),
}

struct Row {
    what: String,
    measured: f64,
    limit: Limit,
    unit: &'static str,
    note: String,
}

/// Rows as they are measured.
pub(crate) struct Table {
    only: Vec<String>,
    rows: Vec<Row>,
    skipped: Vec<String>,
}

impl Table {
    /// A table of the rows whose name has one of these words; without words, of all.
    pub(crate) fn new(only: Vec<String>) -> Self {
        Self {
            only,
            rows: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Whether a row of this name is asked for.
    pub(crate) fn wants(&self, what: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| what.contains(word))
    }

    /// Whether one of these rows is asked for.
    pub(crate) fn wants_any(&self, rows: &[&str]) -> bool {
        rows.iter().any(|what| self.wants(what))
    }

    pub(crate) fn add(
        &mut self,
        what: &str,
        measured: f64,
        limit: Limit,
        unit: &'static str,
        note: String,
    ) {
        let row = Row {
            what: what.to_owned(),
            measured,
            limit,
            unit,
            note,
        };
        eprintln!("{}", row.line());
        self.rows.push(row);
    }

    /// A row that could not be measured, which is no failure.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let line = format!("| {what} | skipped | | | {why} |");
        eprintln!("{line}");
        self.skipped.push(line);
    }

    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text =
            "| what | measured | limit | holds | of what |\n|---|---|---|---|---|\n".to_owned();
        let measured = self.rows.iter().map(Row::line);
        for line in measured.chain(self.skipped.iter().cloned()) {
            text += &line;
            text.push('\n');
        }
        text
    }
}

impl Row {
    fn holds(&self) -> bool {
        match self.limit {
            Limit::None => true,
            Limit::AtMost(limit) => self.measured <= limit,
            Limit::AtLeast(limit) => self.measured >= limit,
        }
    }

    fn line(&self) -> String {
        let Self {
            what,
            measured,
            unit,
            note,
            ..
        } = self;
        let limit = match self.limit {
            Limit::None => "none".to_owned(),
            Limit::AtMost(limit) => format!("at most {limit}{unit}"),
            Limit::AtLeast(limit) => format!("at least {limit}{unit}"),
        };
        let holds = if self.holds() { "yes" } else { "no" };
        format!("| {what} | {measured:.2}{unit} | {limit} | {holds} | {note} |")
    }
}
