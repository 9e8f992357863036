//! A browser to drive: headless Chromium behind chromedriver, by the WebDriver protocol.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

/// One browser window; it and its driver end with the value.
pub(crate) struct Browser {
    driver: Child,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    session: String,
    _profile: tempfile::TempDir,
}

/// Keys as WebDriver names them.
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const TAB: &str = "\u{e004}";

impl Browser {
    pub(crate) fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver runs");
        let lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = |line: String| {
            Some(
                line.split_once("started successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .to_owned(),
            )
        };
        let port = lines
            .map_while(Result::ok)
            .find_map(port)
            .expect("chromedriver says its port");
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let profile = tempfile::tempdir().expect("a folder");
        let mut browser = Self {
            driver,
            runtime,
            client,
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let mut flags = vec![format!(
            "--user-data-dir={}",
            browser._profile.path().display()
        )];
        flags.extend(FLAGS.map(str::to_owned));
        let wanted = json!({
            "goog:chromeOptions": { "args": flags }, "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" }
        });
        let session = browser.post("", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!(
            "{}/{}",
            browser.session,
            session["sessionId"].as_str().expect("a session")
        );
        browser
    }

    fn post(&self, path: &str, body: &Json) -> Json {
        let request = self
            .client
            .post(format!("{}{path}", self.session))
            .body(body.to_string());
        self.answer(request.header("content-type", "application/json"), path)
    }

    fn answer(&self, request: reqwest::RequestBuilder, path: &str) -> Json {
        let answer = self
            .runtime
            .block_on(async { request.send().await?.bytes().await })
            .expect("chromedriver answers");
        let json: Json = serde_json::from_slice(&answer).expect("JSON");
        assert!(json["value"]["error"].is_null(), "{path}: {json}");
        json["value"].clone()
    }

    /// Opens a file and forgets what the log holds of others.
    pub(crate) fn visit(&self, file: &Path) {
        self.visit_url(&format!("file://{}", file.display()));
    }

    /// Opens an address and forgets what the log holds of others.
    pub(crate) fn visit_url(&self, url: &str) {
        self.post("/url", &json!({ "url": "about:blank" }));
        self.log("browser");
        self.log("performance");
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs a script's body in the page; what it returns.
    pub(crate) fn script(&self, body: &str) -> Json {
        self.post("/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// The same for a body that ends by calling `done`.
    pub(crate) fn script_until_done(&self, body: &str) -> Json {
        let body = format!("const done = arguments[arguments.length - 1]; {body}");
        self.post("/execute/async", &json!({ "script": body, "args": [] }))
    }

    /// Presses keys, one after another, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes.collect::<Json>() }] }));
        // What was asked for with the next frame has been done after two of them.
        self.script_until_done("requestAnimationFrame(() => requestAnimationFrame(() => done()));");
    }

    pub(crate) fn log(&self, kind: &str) -> Vec<Json> {
        self.post("/se/log", &json!({ "type": kind }))
            .as_array()
            .cloned()
            .expect("a log")
    }

    /// A command of the browser's own protocol.
    pub(crate) fn command(&self, name: &str, parameters: Json) -> Json {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": name, "params": parameters }),
        )
    }

    /// A window so wide and high, in CSS pixels, in a colour scheme.
    pub(crate) fn look(&self, (width, height): (u32, u32), scheme: &str) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// The page from its top, at the most so high, as a PNG in base64.
    pub(crate) fn picture(&self, width: u32, most: u64) -> String {
        let height = || {
            self.script("return document.documentElement.scrollHeight")
                .as_u64()
                .expect("a height")
                .min(most)
        };
        // What is out of sight is not drawn: the window is made as high as the picture.
        let size =
            json!({ "width": width, "height": height(), "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size);
        let height = height();
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let shot = self.command(
            "Page.captureScreenshot",
            json!({ "captureBeyondViewport": true, "clip": clip }),
        );
        shot["data"].as_str().expect("a picture").to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _gone = self
            .runtime
            .block_on(self.client.delete(&self.session).send());
        let _gone = self.driver.kill();
        let _gone = self.driver.wait();
    }
}

const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
