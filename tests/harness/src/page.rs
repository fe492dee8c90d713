//! What can be done with a page: find by test id, click, type, read. Every verb
//! waits for what it needs, and types and clicks as a person would.

use crate::desktop::Frame;
use crate::{Failure, Result, long, quick, until};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::Value;
use std::time::Duration;

/// Ctrl+V, in WebDriver's code for keys.
const PASTE: &str = "\u{E009}v";

/// Paints for some seconds, without a change that could be seen.
const KEEP_PAINTING: &str = r"
let frames = 0;
const root = document.documentElement;
(function paint() {
    frames += 1;
    root.style.opacity = frames % 2 === 1 && frames < 300 ? '0.999' : '';
    if (frames < 300) requestAnimationFrame(paint);
})();
";

#[derive(Debug, Clone)]
pub struct Page {
    client: Client,
}

impl Page {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until the element is there and visible.
    pub async fn sees(&self, id: &str) -> Result<()> {
        self.sees_within(id, quick()).await
    }

    pub async fn sees_within(&self, id: &str, within: Duration) -> Result<()> {
        until(&format!("“{id}” on the page"), within, async || {
            self.visible(id).await.map(|_| ())
        })
        .await
    }

    /// Whether the element is visible now.
    pub async fn shows(&self, id: &str) -> bool {
        self.visible(id).await.is_ok()
    }

    pub async fn click(&self, id: &str) -> Result<()> {
        until(&format!("a click on “{id}”"), quick(), async || {
            let element = self.visible(id).await?;
            if !element.is_enabled().await.map_err(said)? {
                return Err("it is disabled".to_owned());
            }
            // Covered or moving: look again.
            element.click().await.map_err(said)
        })
        .await
    }

    /// Waits until the field is marked as wrong.
    pub async fn is_wrong(&self, id: &str) -> Result<()> {
        until(&format!("“{id}” to be wrong"), long(), async || match self
            .attribute(id, "aria-invalid")
            .await?
            .as_deref()
        {
            Some("true") => Ok(()),
            other => Err(format!("aria-invalid is {other:?}")),
        })
        .await
    }

    /// Whether the switch is on.
    pub async fn is_pressed(&self, id: &str) -> Result<bool> {
        let pressed = until(id, quick(), async || {
            self.attribute(id, "aria-pressed").await
        })
        .await?;
        Ok(pressed.as_deref() == Some("true"))
    }

    /// Waits until no such element is visible any more.
    pub async fn misses(&self, id: &str) -> Result<()> {
        until(&format!("“{id}” to go away"), quick(), async || {
            if self.shows(id).await {
                Err("it is still there".to_owned())
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Replaces what is in the field.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        until(
            &format!("“{id}” to take the text"),
            quick(),
            async || {
                let element = self.visible(id).await?;
                element.clear().await.map_err(said)?;
                element.send_keys(text).await.map_err(said)?;
                match element.prop("value").await.map_err(said)? {
                    Some(value) if value == text => Ok(()),
                    other => Err(format!("it holds {other:?}")),
                }
            },
        )
        .await
    }

    /// Pastes what was copied, in whichever window, into the empty field.
    pub async fn paste(&self, id: &str, expected: &str) -> Result<()> {
        until(&format!("the paste into “{id}”"), quick(), async || {
            let element = self.visible(id).await?;
            element.clear().await.map_err(said)?;
            element.send_keys(PASTE).await.map_err(said)?;
            match element.prop("value").await.map_err(said)? {
                Some(value) if value == expected => Ok(()),
                other => Err(format!("it holds {other:?}")),
            }
        })
        .await
    }

    /// Types into the field without clearing it.
    pub async fn type_into(&self, id: &str, text: &str) -> Result<()> {
        until(&format!("“{id}” to take keys"), quick(), async || {
            let element = self.visible(id).await?;
            element.send_keys(text).await.map_err(said)
        })
        .await
    }

    /// The text shown in the first such element.
    pub async fn text(&self, id: &str) -> Result<String> {
        until(&format!("the text of “{id}”"), quick(), async || {
            self.first_text(id).await
        })
        .await
    }

    /// The value of a field.
    pub async fn value(&self, id: &str) -> Result<String> {
        until(&format!("the value of “{id}”"), quick(), async || {
            let element = self.visible(id).await?;
            let value = element.prop("value").await.map_err(said)?;
            value.ok_or_else(|| "it has none".to_owned())
        })
        .await
    }

    /// Waits until the first such element shows text that satisfies.
    pub async fn text_where(
        &self,
        id: &str,
        wanted: &str,
        within: Duration,
        satisfies: impl Fn(&str) -> bool,
    ) -> Result<String> {
        until(&format!("“{id}” to say {wanted}"), within, async || {
            let text = self.first_text(id).await?;
            if satisfies(&text) {
                Ok(text)
            } else {
                Err(format!("it says “{text}”"))
            }
        })
        .await
    }

    /// Waits until one such element contains both texts.
    pub async fn sees_both(&self, id: &str, one: &str, other: &str) -> Result<()> {
        let what = format!("“{id}” with “{one}” and “{other}”");
        until(&what, quick(), async || {
            let seen = self.texts(id).await?;
            let both = |text: &String| text.contains(one) && text.contains(other);
            if seen.iter().any(both) {
                Ok(())
            } else {
                Err(format!("there is only {seen:?}"))
            }
        })
        .await
    }

    /// Clicks the first such element whose text contains `text`.
    pub async fn click_where(&self, id: &str, text: &str) -> Result<()> {
        until(
            &format!("a click on “{id}” with “{text}”"),
            quick(),
            async || {
                let seen = self.texts(id).await?;
                let elements = self.all(id).await?;
                let wanted = seen.iter().position(|shown| shown.contains(text));
                if let Some(element) = wanted.and_then(|at| elements.get(at)) {
                    return element.click().await.map_err(said);
                }
                Err(format!("there is only {seen:?}"))
            },
        )
        .await
    }

    /// Clicks the such element with this data attribute.
    pub async fn click_with(&self, id: &str, data: &str, value: &str) -> Result<()> {
        let selector = format!("[data-testid=\"{id}\"][data-{data}=\"{value}\"]");
        until(&format!("a click on {selector}"), quick(), async || {
            let element = self.client.find(Locator::Css(&selector)).await;
            element.map_err(said)?.click().await.map_err(said)
        })
        .await
    }

    /// Chooses an entry of a select field by its value, once it is offered.
    pub async fn select(&self, id: &str, value: &str) -> Result<()> {
        until(
            &format!("“{value}” in “{id}”"),
            quick(),
            async || {
                let element = self.visible(id).await?;
                element.select_by_value(value).await.map_err(said)?;
                match element.prop("value").await.map_err(said)? {
                    Some(now) if now == value => Ok(()),
                    other => Err(format!("it is {other:?}")),
                }
            },
        )
        .await
    }

    /// A data attribute of the first element that a CSS selector finds; `None`
    /// without such an element or attribute.
    pub async fn data(&self, selector: &str, name: &str) -> Result<Option<String>> {
        let found = self.data_of_all(selector, name).await?;
        Ok(found.into_iter().next())
    }

    /// The same of all elements that have it.
    pub async fn data_of_all(&self, selector: &str, name: &str) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll(arguments[0])]\
                      .map((element) => element.dataset[arguments[1]])\
                      .filter((value) => value !== undefined)";
        let arguments = vec![selector.into(), name.into()];
        let answer = self.client.execute(script, arguments).await?;
        let all = answer.as_array().cloned().unwrap_or_default();
        Ok(all
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect())
    }

    /// Runs a script in the page and returns its value.
    pub async fn ask(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Runs a script that hands its value to a function, its last argument,
    /// once it has one.
    pub async fn ask_and_wait(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    /// Puts the window there.
    pub(crate) async fn stands(&self, frame: Frame) -> Result<()> {
        let Frame {
            left,
            width,
            height,
        } = frame;
        self.client.set_window_rect(left, 0, width, height).await?;
        Ok(())
    }

    /// Does something in the app's other window, once it has come up, and comes
    /// back. Nothing else may use this page meanwhile.
    pub async fn in_the_other_window<T>(
        &self,
        act: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let own = self.client.window().await?;
        let other = until("another window", long(), async || {
            let all = self.client.windows().await.map_err(said)?;
            let other = all.into_iter().find(|window| *window != own);
            other.ok_or_else(|| "there is only one".to_owned())
        })
        .await?;
        self.client.switch_to_window(other).await?;
        let done = act(self).await;
        self.client.switch_to_window(own).await?;
        done
    }

    /// How many windows the app has.
    pub async fn windows(&self) -> Result<usize> {
        Ok(self.client.windows().await?.len())
    }

    /// A PNG of what is painted.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        // WebKit takes the picture with the next frame that it presents, and a
        // page at rest presents none.
        self.ask(KEEP_PAINTING).await?;
        match tokio::time::timeout(quick(), self.client.screenshot()).await {
            Ok(picture) => Ok(picture?),
            Err(_) => Err(Failure::new("the window paints nothing")),
        }
    }

    /// The first such element that is laid out and not hidden.
    ///
    /// Asked of the page itself: the driver's own notion of “displayed” takes
    /// clipped text for hidden.
    async fn visible(&self, id: &str) -> std::result::Result<Element, String> {
        let script = format!(
            "return [...document.querySelectorAll('{}')].findIndex((element) =>\
             element.checkVisibility({{ visibilityProperty: true }}))",
            selector(id)
        );
        let index = self.asked(&script).await?;
        let found = self.all(id).await?;
        if found.is_empty() {
            return Err(format!("there is no “{id}”"));
        }
        let first = index.as_u64().and_then(|index| usize::try_from(index).ok());
        first
            .and_then(|first| found.into_iter().nth(first))
            .ok_or_else(|| format!("“{id}” is hidden"))
    }

    /// The text of each such element as it is laid out, hidden ones included.
    async fn texts(&self, id: &str) -> std::result::Result<Vec<String>, String> {
        let script = format!(
            "return [...document.querySelectorAll('{}')]\
             .map((element) => element.innerText.trim())",
            selector(id)
        );
        let answer = self.asked(&script).await?;
        let texts = answer.as_array().cloned().unwrap_or_default();
        Ok(texts
            .iter()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect())
    }

    async fn attribute(&self, id: &str, name: &str) -> std::result::Result<Option<String>, String> {
        let element = self.visible(id).await?;
        element.attr(name).await.map_err(said)
    }

    async fn first_text(&self, id: &str) -> std::result::Result<String, String> {
        let first = self.texts(id).await?.into_iter().next();
        first.ok_or_else(|| format!("there is no “{id}”"))
    }

    async fn all(&self, id: &str) -> std::result::Result<Vec<Element>, String> {
        let selector = selector(id);
        let locator = Locator::Css(&selector);
        self.client.find_all(locator).await.map_err(said)
    }

    async fn asked(&self, script: &str) -> std::result::Result<Value, String> {
        self.client.execute(script, Vec::new()).await.map_err(said)
    }
}

fn selector(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

fn said(error: fantoccini::error::CmdError) -> String {
    Failure::from(error).to_string()
}
