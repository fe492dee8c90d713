//! Writing and reading.

use super::Person;
use crate::{Failure, Page, Result, long, quick, until};
use serde_json::Value;
use std::time::Duration;

/// One message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    pub text: String,
    /// The name of its mark: `pending`, `sent`, `delivered`, `read` or `failed`;
    /// empty for messages of others.
    pub state: String,
}

/// The messages on the page from top to bottom.
const SHOWN: &str = r#"
return [...document.querySelectorAll('[data-testid="message"]')].map((message) => {
    const text = message.querySelector('[data-testid="message-text"]');
    const state = message.querySelector('[data-testid="message-state"]');
    const failed = message.querySelector('[data-testid="message-failed"]');
    return [
        (text ?? message).innerText.trim(),
        failed ? 'failed' : state?.dataset.state ?? '',
    ];
});
"#;

impl Person {
    pub async fn writes(&self, text: &str) -> Result<()> {
        self.backstage.heard(text);
        self.step("writes a message", async {
            let page = self.page()?;
            page.fill("composer-input", text).await?;
            page.click("composer-send").await?;
            until("the composer to be empty", quick(), async || {
                match page.value("composer-input").await {
                    Ok(value) if value.is_empty() => Ok(()),
                    other => Err(format!("it holds {other:?}")),
                }
            })
            .await
        })
        .await
    }

    /// Waits until the room list shows the message: it does so once the message
    /// is on disk.
    pub async fn sees_it_kept(&self, room: &str, text: &str) -> Result<()> {
        self.step("sees a message kept", async {
            self.page()?.sees_both("room-row", room, text).await
        })
        .await
    }

    /// The composer is empty: nothing that was sent waits to be sent again.
    pub async fn has_nothing_half_written(&self) -> Result<()> {
        self.step("finds the composer empty", async {
            match self.page()?.value("composer-input").await? {
                text if text.is_empty() => Ok(()),
                text => Err(Failure::new(format!("it holds “{text}”"))),
            }
        })
        .await
    }

    /// Types into the composer without sending.
    pub async fn begins_to_write(&self, text: &str) -> Result<()> {
        self.backstage.heard(text);
        self.step("begins to write", async {
            self.page()?.type_into("composer-input", text).await
        })
        .await
    }

    pub async fn sees_typing(&self, who: &Person) -> Result<()> {
        self.step("sees someone typing", async {
            let page = self.page()?;
            page.text_where("typing", &who.name, quick(), |text| {
                text.contains(&who.name)
            })
            .await?;
            Ok(())
        })
        .await
    }

    /// Waits until a message is shown.
    pub async fn reads(&self, text: &str) -> Result<()> {
        self.reads_within(text, quick()).await
    }

    pub async fn reads_within(&self, text: &str, within: Duration) -> Result<()> {
        let page = self.page()?;
        let step = self.step("reads a message", async {
            until(&format!("“{text}”"), within, async || {
                let shown = shown(&page).await.map_err(|f| f.to_string())?;
                if shown.iter().any(|spoken| spoken.text == text) {
                    return Ok(());
                }
                let texts: Vec<_> = shown.iter().map(|spoken| &spoken.text).collect();
                Err(format!("there is {texts:?}"))
            })
            .await
        });
        step.await
    }

    /// Waits until exactly these messages are shown, in this order, each once.
    pub async fn reads_exactly(&self, wanted: &[String]) -> Result<()> {
        let page = self.page()?;
        let step = self.step("reads it all, once and in order", async {
            until("the whole talk", long(), async || {
                let shown = shown(&page).await.map_err(|f| f.to_string())?;
                let texts: Vec<_> = shown.into_iter().map(|spoken| spoken.text).collect();
                if texts == wanted {
                    Ok(())
                } else {
                    Err(format!("there is {texts:#?}, and not {wanted:#?}"))
                }
            })
            .await
        });
        step.await
    }

    /// Waits until every own message carries the relay's confirmation.
    pub async fn sees_all_sent(&self) -> Result<()> {
        let page = self.page()?;
        let step = self.step("sees all sent", async {
            until("all messages to be sent", long(), async || {
                let shown = shown(&page).await.map_err(|f| f.to_string())?;
                let open = |spoken: &&Spoken| matches!(&*spoken.state, "pending" | "failed");
                match shown.iter().find(open) {
                    None => Ok(()),
                    Some(spoken) => Err(format!("“{}” is {}", spoken.text, spoken.state)),
                }
            })
            .await
        });
        step.await
    }
}

async fn shown(page: &Page) -> Result<Vec<Spoken>> {
    let answer = page.ask(SHOWN).await?;
    let rows = answer.as_array().cloned().unwrap_or_default();
    Ok(rows.iter().filter_map(spoken).collect())
}

fn spoken(row: &Value) -> Option<Spoken> {
    Some(Spoken {
        text: row.get(0)?.as_str()?.to_owned(),
        state: row.get(1)?.as_str()?.to_owned(),
    })
}
