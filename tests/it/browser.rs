//! The report in HTML in a real browser: it is quiet, fetches nothing, obeys no stranger, and can be used by key and by eye.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convertalk::redaction::Redaction;
use convertalk::watch::WatchHandle;
use convertalk::watch::metrics::Metrics;
use convertalk::watch::server::{WatchServer, serve};
use convertalk::watch::status::WatchStatus;
use serde_json::Value as Json;

use crate::html::plans::{big, every_class};
use crate::html::{from_base64, html, with};
use driver::{Browser, ESCAPE, TAB};

mod driver;

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);

fn page(folder: &Path, name: &str, plan: &Json) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, html(plan)).expect("a file");
    file
}

/// Leads that can be seen: cards of one, and leads of cards of several that are not put away.
const SHOWN: &str = "return [...document.querySelectorAll('#cards > article:not([hidden])')].reduce((sum, card) => sum + \
    (card.querySelector('details') ? card.querySelectorAll('li:not([hidden])').length : 1), 0)";

/// By how much the page is wider than its window.
const OVER: &str =
    "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

fn text(browser: &Browser, of: &str) -> String {
    browser
        .script(&format!("return {of}"))
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn assert_quiet(browser: &Browser, file: &Path) {
    assert_quiet_at(browser, &format!("file://{}", file.display()));
}

fn assert_quiet_at(browser: &Browser, own: &str) {
    let log = browser.log("browser");
    assert!(log.is_empty(), "the console is not silent: {log:#?}");
    let requested = |entry: &Json| {
        let message: Json = serde_json::from_str(entry["message"].as_str()?).ok()?;
        let url = message["message"]["params"]["request"]["url"]
            .as_str()?
            .to_owned();
        (message["message"]["method"] == "Network.requestWillBeSent").then_some(url)
    };
    let requests: Vec<String> = browser
        .log("performance")
        .iter()
        .filter_map(requested)
        .collect();
    let foreign: Vec<&String> = requests
        .iter()
        .filter(|url| *url != own && *url != "data:," && *url != "about:blank")
        .collect();
    assert!(
        requests.iter().any(|url| url == own) && foreign.is_empty(),
        "{requests:?}"
    );
    assert_eq!(
        browser.script("return performance.getEntriesByType('resource').length"),
        0
    );
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it"]
fn the_report_is_quiet_and_obeys_no_stranger() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = Browser::open();
    for (name, plan) in [("small.html", every_class()), ("big.html", big(5000))] {
        let file = page(folder.path(), name, &plan);
        browser.visit(&file);
        browser.look(DESKTOP, "light");
        assert_quiet(&browser, &file);
    }
    browser.visit(&page(folder.path(), "small.html", &every_class()));
    assert_eq!(
        text(&browser, "document.title"),
        "Refused: 2 leads not found, 9 to update, 1 to create, 2 kept as in the inbox, 3 in sync, of 17 declared leads; 3 drifted, 1 in conflict."
    );
    assert_eq!(
        browser
            .script("return document.querySelectorAll('img, iframe, object, embed, base').length"),
        0
    );
    assert_eq!(browser.script("return document.scripts.length"), 1);
    let titles = "return [...document.querySelectorAll('h3')].some((title) => title.textContent.includes('<img src=x onerror='))";
    assert_eq!(browser.script(titles), true);
    // A script that the page did not come with is not run.
    browser.script("const alien = document.createElement('script'); alien.textContent = 'document.title = \"owned\"'; document.body.append(alien)");
    assert!(!text(&browser, "document.title").contains("owned"));
    assert_eq!(browser.log("browser").len(), 1, "and the browser says so");
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it"]
fn leads_are_found_by_key_and_choice() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = Browser::open();
    browser.visit(&page(folder.path(), "small.html", &every_class()));
    browser.look(DESKTOP, "light");
    let shown = |count: u32, words: &str| {
        assert_eq!(
            (
                browser.script(SHOWN),
                text(&browser, "document.getElementById('shown').textContent")
            ),
            (count.into(), words.to_owned())
        );
    };
    shown(12, "12 leads");
    browser.press("/");
    assert_eq!(text(&browser, "document.activeElement.id"), "q");
    browser.press("acme VIP");
    shown(1, "1 of 12 leads");
    browser.press(ESCAPE);
    shown(12, "12 leads");
    // By any part of a uuid, though only its beginning is shown; a lead of a card of several is brought out.
    browser.press("9f9a4b5c6d04");
    shown(0, "0 of 12 leads");
    assert_eq!(
        browser.script("return document.getElementById('none').hidden"),
        false
    );
    browser.press(ESCAPE);
    browser.press("8e8c-9f3a4b5c6d04");
    shown(1, "1 of 12 leads");
    assert_eq!(
        browser.script("return document.querySelector('#cards details').open"),
        true
    );
    browser.press(ESCAPE);
    assert_eq!(
        browser.script("return document.querySelector('#cards details').open"),
        false
    );
    browser.press("rahul");
    shown(4, "4 of 12 leads");
    browser.press(ESCAPE);
    // Everything can be reached by Tab, and is worked by the keyboard.
    let reached: Vec<String> = (0..4)
        .map(|_| {
            browser.press(TAB);
            text(
                &browser,
                "document.activeElement.value || document.activeElement.name",
            )
        })
        .collect();
    assert_eq!(reached, ["intended", "drift", "conflict", "update"]);
    browser.script("document.querySelector('input[value=drift]').focus()");
    browser.press(" ");
    shown(3, "3 of 12 leads");
    browser.press(TAB);
    browser.press(" ");
    shown(4, "4 of 12 leads");
    browser.press(ESCAPE);
    browser.script("document.querySelector('select[name=files]').focus()");
    browser.press("leads/r");
    shown(5, "5 of 12 leads");
    browser.press(ESCAPE);
    shown(12, "12 leads");
    // A link out of a refusal brings out the lead that it names.
    browser.press("acme");
    browser.script("document.querySelector('.notice a[href=\"#lead-2\"]').click()");
    browser.press(TAB);
    shown(12, "12 leads");
    let place = "const place = document.getElementById('lead-2').getBoundingClientRect(); return place.top > 0 && place.bottom < innerHeight";
    assert_eq!(browser.script(place), true);
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it"]
fn without_its_script_the_report_shows_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = Browser::open();
    browser.command(
        "Emulation.setScriptExecutionDisabled",
        serde_json::json!({ "value": true }),
    );
    browser.visit(&page(folder.path(), "small.html", &every_class()));
    assert_eq!(
        (
            browser.script(SHOWN),
            browser.script("return document.getElementById('filter').hidden")
        ),
        (12.into(), true.into())
    );
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it"]
fn it_fits_every_window_in_light_and_dark_and_is_quick() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = Path::new("target/screenshots");
    std::fs::create_dir_all(pictures).expect("a folder");
    let browser = Browser::open();
    for (name, plan) in [("12", every_class()), ("5000", big(5000))] {
        let file = page(folder.path(), &format!("{name}.html"), &plan);
        let mut papers = Vec::new();
        for (window, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
            for scheme in ["light", "dark"] {
                browser.look(size, scheme);
                browser.visit(&file);
                assert_eq!(
                    browser.script(OVER),
                    0,
                    "{name} {window}: it is wider than the window"
                );
                papers.push(text(
                    &browser,
                    "getComputedStyle(document.body).backgroundColor",
                ));
                let picture = from_base64(&browser.picture(size.0, 3000));
                std::fs::write(
                    pictures.join(format!("{name}-{window}-{scheme}.png")),
                    picture,
                )
                .expect("a file");
            }
        }
        assert_eq!(papers[..2], papers[2..]);
        assert_ne!(papers[0], papers[1]);
    }
    for (name, text) in [
        ("wide", "W".repeat(300)),
        ("words", " and more words".repeat(20)),
    ] {
        browser.look(PHONE, "light");
        browser.visit(&page(
            folder.path(),
            &format!("{name}.html"),
            &with(&every_class(), &text),
        ));
        browser.script(
            "document.querySelectorAll('details').forEach((details) => (details.open = true))",
        );
        let picture = from_base64(&browser.picture(PHONE.0, 20_000));
        assert_eq!(
            browser.script(OVER),
            0,
            "{name}: it is wider than the window"
        );
        std::fs::write(pictures.join(format!("{name}-phone-light.png")), picture).expect("a file");
    }
    browser.visit(&folder.path().join("5000.html"));
    // Each letter of a search among 5 000 leads, with the layout that follows, in far less than one would notice as waiting.
    let typed = browser.script_until_done(
        "const search = document.getElementById('q'); const times = []; const words = 'lead batch-1234';
         const next = (at) => {
           if (at > words.length) return done(times);
           search.value = words.slice(0, at);
           const start = performance.now();
           search.dispatchEvent(new Event('input', { bubbles: true }));
           requestAnimationFrame(() => { document.body.offsetHeight; times.push(performance.now() - start); next(at + 1); });
         };
         next(1);",
    );
    let slowest = typed
        .as_array()
        .expect("times")
        .iter()
        .filter_map(Json::as_f64)
        .fold(0.0, f64::max);
    assert!(slowest < 1000.0, "a letter takes {slowest} ms: {typed}");
    assert_eq!(browser.script(SHOWN), 2);
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it"]
fn the_page_that_watch_serves_is_quiet_and_can_be_used() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let plan = crate::html::plans::plan(&every_class());
    let handle = Arc::new(WatchHandle::new(WatchStatus::before_first_pass(
        plan.target.clone(),
        String::new(),
    )));
    handle.publish_plan(plan);
    let requests = Arc::default();
    let server = WatchServer {
        handle,
        metrics: Metrics::new(Arc::clone(&requests)),
        requests,
        every: Duration::from_secs(900),
        names: Redaction::Initials,
        poll_token: None,
    };
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    runtime.spawn(serve(listener, server));
    let browser = Browser::open();
    browser.visit_url(&url);
    browser.look(DESKTOP, "light");
    assert_quiet_at(&browser, &url);
    assert_eq!(browser.script(SHOWN), 12);
    browser.press("/");
    browser.press("acme VIP");
    assert_eq!(browser.script(SHOWN), 1);
    let pictures = Path::new("target/screenshots");
    std::fs::create_dir_all(pictures).expect("a folder");
    let picture = from_base64(&browser.picture(DESKTOP.0, 1200));
    std::fs::write(pictures.join("watch.png"), picture).expect("a file");
}
