//! What can be done with a page: find by test id, click, type, read. Every verb
//! waits for what it needs, and types and clicks as a person would.

use crate::{Failure, Result, long, quick, until};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::Value;
use std::time::Duration;

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
        until(&format!("“{id}” to be wrong"), long(), async || {
            let element = self.visible(id).await?;
            match element.attr("aria-invalid").await.map_err(said)?.as_deref() {
                Some("true") => Ok(()),
                other => Err(format!("aria-invalid is {other:?}")),
            }
        })
        .await
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
            let element = self.visible(id).await?;
            element.text().await.map_err(said)
        })
        .await
    }

    /// The value of a field, or the text of anything else.
    pub async fn value(&self, id: &str) -> Result<String> {
        until(&format!("the value of “{id}”"), quick(), async || {
            let element = self.visible(id).await?;
            if let Ok(Some(value)) = element.prop("value").await {
                return Ok(value);
            }
            element.text().await.map_err(said)
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
            let element = self.visible(id).await?;
            let text = element.text().await.map_err(said)?;
            if satisfies(&text) {
                Ok(text)
            } else {
                Err(format!("it says “{text}”"))
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
                let mut seen = Vec::new();
                for element in self.all(id).await? {
                    let shown = element.text().await.map_err(said)?;
                    if shown.contains(text) {
                        return element.click().await.map_err(said);
                    }
                    seen.push(shown);
                }
                Err(format!("there is only {seen:?}"))
            },
        )
        .await
    }

    /// Runs a script in the page and returns its value.
    pub async fn ask(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// A PNG of what is painted.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        match tokio::time::timeout(quick(), self.client.screenshot()).await {
            Ok(picture) => Ok(picture?),
            Err(_) => Err(Failure::new("the window paints nothing")),
        }
    }

    async fn visible(&self, id: &str) -> std::result::Result<Element, String> {
        let found = self.all(id).await?;
        if found.is_empty() {
            return Err(format!("there is no “{id}”"));
        }
        for element in found {
            if element.is_displayed().await.map_err(said)? {
                return Ok(element);
            }
        }
        Err(format!("“{id}” is hidden"))
    }

    async fn all(&self, id: &str) -> std::result::Result<Vec<Element>, String> {
        let selector = format!("[data-testid=\"{id}\"]");
        let locator = Locator::Css(&selector);
        self.client.find_all(locator).await.map_err(said)
    }
}

fn said(error: fantoccini::error::CmdError) -> String {
    Failure::from(error).to_string()
}
