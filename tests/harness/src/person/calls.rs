//! Calling: from the lobby to hanging up, and what is seen and heard
//! meanwhile.

use super::Person;
use crate::picture::{self, Watched};
use crate::sound::{Recording, sink};
use crate::{Failure, Page, Result, long, quick, until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;

/// The other one's picture in a call of two.
const CAMERA: &str = "[data-testid=\"tile\"][data-me=\"false\"][data-source=\"camera\"]";
const SCREEN: &str = "[data-testid=\"tile\"][data-me=\"false\"][data-source=\"screen\"]";

/// The pitch of the test tone, Hz.
pub const TONE: f64 = 440.0;

/// Looks at each frame of the page for a while, and takes samples of each new
/// picture's upper quarter.
const WATCH: &str = include_str!("watch.js");

/// What of the other one is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Camera,
    Screen,
}

impl Source {
    fn tile(self) -> &'static str {
        match self {
            Self::Camera => CAMERA,
            Self::Screen => SCREEN,
        }
    }
}

impl Person {
    /// Chooses, in the settings, the test picture and the test tone, and a
    /// speaker at which the stage listens.
    pub async fn chooses_test_devices(&self, camera: &str) -> Result<()> {
        let speaker = format!("out:pulseaudio:{}", sink(self.place));
        let wanted = [
            ("device-microphone", "tone:440"),
            ("device-speaker", &speaker),
            ("device-ringer", "silence:"),
            ("device-camera", camera),
        ];
        self.step("chooses devices", async {
            let page = self.page()?;
            page.click("settings-open").await?;
            page.click("settings-devices").await?;
            for (field, device) in wanted {
                page.select(field, device).await?;
            }
            page.click("dialog-close").await?;
            page.misses("settings").await
        })
        .await
    }

    /// Calls the open room, through the lobby.
    pub async fn calls(&self, video: bool) -> Result<()> {
        self.step("calls", async {
            let page = self.page()?;
            page.click(if video { "call-video" } else { "call-voice" })
                .await?;
            page.click("lobby-start").await?;
            page.sees("stage").await
        })
        .await
    }

    /// Joins the call that runs in the open room, through the lobby.
    pub async fn joins_the_call(&self) -> Result<()> {
        self.step("joins the call", async {
            let page = self.page()?;
            page.click("call-join").await?;
            page.click("lobby-start").await?;
            page.sees("stage").await
        })
        .await
    }

    pub async fn sees_it_ring(&self, caller: &Person) -> Result<()> {
        self.step("sees it ring", async {
            let page = self.page()?;
            page.sees("ringing").await?;
            page.text_where("ringing-caller", &caller.name, quick(), |text| {
                text.contains(&caller.name)
            })
            .await?;
            Ok(())
        })
        .await
    }

    /// In the small window that came up: reads who calls and where, and answers
    /// there (`voice`, `video` or `decline`).
    pub async fn answers_in_the_ringing_window(
        &self,
        caller: &Person,
        room: &str,
        answer: &str,
    ) -> Result<()> {
        self.step("answers in the window that rings", async {
            let page = self.page()?;
            page.in_the_other_window(async |window| {
                window.sees_within("ringing-window", long()).await?;
                let says = |id, wanted: &str| {
                    let wanted = wanted.to_owned();
                    async move {
                        let same = |text: &str| text == wanted;
                        window.text_where(id, &wanted, quick(), same).await
                    }
                };
                says("ringing-caller", &caller.name).await?;
                says("ringing-room", room).await?;
                window.click(&format!("ringing-{answer}")).await
            })
            .await?;
            until(
                "the window that rang to be gone",
                quick(),
                async || match page.windows().await.map_err(|f| f.to_string())? {
                    1 => Ok(()),
                    more => Err(format!("there are {more} windows")),
                },
            )
            .await
        })
        .await
    }

    pub async fn sees_it_stop_ringing(&self) -> Result<()> {
        self.step("sees it stop ringing", async {
            self.page()?.misses("ringing").await
        })
        .await
    }

    pub async fn accepts(&self, video: bool) -> Result<()> {
        let button = if video {
            "ringing-video"
        } else {
            "ringing-voice"
        };
        self.step("accepts", async { self.page()?.click(button).await })
            .await
    }

    pub async fn declines(&self) -> Result<()> {
        self.step("declines", async {
            self.page()?.click("ringing-decline").await
        })
        .await
    }

    /// Waits until so many people are in the call, and all others connected.
    pub async fn is_in_a_call_of(&self, people: usize) -> Result<()> {
        let page = self.page()?;
        let step = self.step("is in a call", async {
            until("everybody to be connected", long(), async || {
                let stage = page
                    .data("[data-testid=\"stage\"]", "people")
                    .await
                    .map_err(|f| f.to_string())?;
                let tiles = page
                    .data_of_all(CAMERA, "connection")
                    .await
                    .map_err(|f| f.to_string())?;
                let connected = tiles.iter().filter(|state| *state == "connected").count();
                if stage.as_deref() == Some(&*people.to_string()) && connected + 1 == people {
                    return Ok(());
                }
                Err(format!("there are {stage:?}, their connections {tiles:?}"))
            })
            .await
        });
        step.await
    }

    /// Waits until the call is over because the last other one left.
    pub async fn sees_everybody_gone(&self) -> Result<()> {
        self.step("sees everybody gone", async {
            self.page()?.misses("stage").await
        })
        .await
    }

    /// Waits until the other one's tile says this of itself.
    pub async fn sees_of_the_other(&self, source: Source, what: &str, wanted: &str) -> Result<()> {
        let page = self.page()?;
        let step = self.step("looks at the other one's tile", async {
            until(
                &format!("“{what}” to be “{wanted}”"),
                quick(),
                async || match page.data(source.tile(), what).await {
                    Ok(Some(found)) if found == wanted => Ok(()),
                    other => Err(format!("it is {other:?}")),
                },
            )
            .await
        });
        step.await
    }

    /// Waits until so many others are seen, each with `pictures` new pictures
    /// painted from now on.
    pub async fn sees_others_move(&self, others: usize, pictures: u32) -> Result<()> {
        let page = self.page()?;
        let painted = async || -> Result<Vec<u32>> {
            let canvases = format!("{CAMERA} canvas");
            let all = page.data_of_all(&canvases, "drawn").await?;
            Ok(all.iter().filter_map(|drawn| drawn.parse().ok()).collect())
        };
        let step = self.step("sees everybody move", async {
            let first = until("everybody's picture", long(), async || {
                match painted().await.map_err(|f| f.to_string())? {
                    all if all.len() == others && all.iter().all(|drawn| *drawn > 0) => Ok(all),
                    all => Err(format!("painted are {all:?}")),
                }
            })
            .await?;
            until("everybody to move", long(), async || {
                let now = painted().await.map_err(|f| f.to_string())?;
                let moved = |(now, first): (&u32, &u32)| *now >= first + pictures;
                if now.len() == others && now.iter().zip(&first).all(moved) {
                    return Ok(());
                }
                Err(format!("{first:?} became {now:?}"))
            })
            .await
        });
        step.await
    }

    /// Waits until the other one shares nothing more.
    pub async fn sees_no_screen(&self) -> Result<()> {
        let page = self.page()?;
        let step = self.step("sees no screen", async {
            until("the screen to go away", quick(), async || {
                match page.data(SCREEN, "source").await {
                    Ok(None) => Ok(()),
                    other => Err(format!("there is {other:?}")),
                }
            })
            .await
        });
        step.await
    }

    /// Waits for the other one's picture and then watches it for so long, by
    /// its painted pixels.
    pub async fn watches(&self, source: Source, time: Duration) -> Result<Watched> {
        let page = self.page()?;
        let step = self.step("watches a picture", async {
            until("a picture that can be read", long(), async || {
                let seen = watch(&page, source, Duration::from_millis(300)).await;
                match seen.map_err(|f| f.to_string())? {
                    seen if seen.painted > 0 => Ok(()),
                    seen => Err(format!("{seen:?}")),
                }
            })
            .await?;
            watch(&page, source, time).await
        });
        step.await
    }

    /// Listens at their speaker for so long.
    pub async fn listens(&self, time: Duration) -> Result<Recording> {
        self.step("listens", async {
            self.backstage.sound()?.hears(self.place, time).await
        })
        .await
    }

    /// Waits until the test tone comes out of their speaker, clearly above
    /// everything beside it; says how loud it is, dBFS.
    pub async fn hears_the_tone(&self) -> Result<f64> {
        self.step("hears the tone", async {
            until("the tone", quick(), async || {
                let heard = self.listens(Duration::from_millis(2_000)).await;
                let heard = heard.map_err(|f| f.to_string())?;
                let (tone, beside) = (heard.level_at(TONE), heard.level_at(1.5 * TONE));
                if tone > -30.0 && tone > beside + 20.0 {
                    return Ok(tone);
                }
                Err(format!("{tone:.0} dBFS at the tone, {beside:.0} beside it"))
            })
            .await
        })
        .await
    }

    /// Waits until nothing comes out of their speaker any more.
    pub async fn hears_nothing(&self) -> Result<()> {
        self.step("hears nothing", async {
            until("silence", quick(), async || {
                let heard = self.listens(Duration::from_millis(1_000)).await;
                let heard = heard.map_err(|f| f.to_string())?;
                let (all, tone) = (heard.loudness(), heard.level_at(TONE));
                if all < -60.0 {
                    return Ok(());
                }
                Err(format!("{all:.0} dBFS, {tone:.0} of it the tone"))
            })
            .await
        })
        .await
    }

    pub async fn switches_the_microphone(&self) -> Result<()> {
        self.step("switches the microphone", async {
            self.page()?.click("call-microphone").await
        })
        .await
    }

    pub async fn switches_the_camera(&self) -> Result<()> {
        self.step("switches the camera", async {
            self.page()?.click("call-camera").await
        })
        .await
    }

    /// Shares the screen of this name.
    pub async fn shares(&self, screen: &str) -> Result<()> {
        self.step("shares a screen", async {
            let page = self.page()?;
            page.click("call-screen").await?;
            page.sees("share").await?;
            page.click_with("share-source", "device", screen).await?;
            page.click("share-start").await?;
            page.misses("share").await
        })
        .await
    }

    pub async fn stops_sharing(&self) -> Result<()> {
        self.step("stops sharing", async {
            self.page()?.click("call-screen").await
        })
        .await
    }

    pub async fn hangs_up(&self) -> Result<()> {
        self.step("hangs up", async {
            let page = self.page()?;
            page.click("call-leave").await?;
            self.closes_the_stage(&page).await
        })
        .await
    }

    /// Waits until the call is over for this reason.
    pub async fn sees_the_call_end(&self, why: &str) -> Result<()> {
        let page = self.page()?;
        let step = self.step("sees the call end", async {
            until(
                &format!("the call to be {why}"),
                long(),
                async || match page.data("[data-testid=\"stage-over\"]", "why").await {
                    Ok(Some(found)) if found == why => Ok(()),
                    other => Err(format!("it is {other:?}")),
                },
            )
            .await?;
            self.closes_the_stage(&page).await
        });
        step.await
    }

    async fn closes_the_stage(&self, page: &Page) -> Result<()> {
        until("the stage to be gone", quick(), async || {
            if page.shows("stage-over-close").await {
                page.click("stage-over-close")
                    .await
                    .map_err(|f| f.to_string())?;
            }
            if page.shows("stage").await || page.shows("stage-over").await {
                return Err("it is still there".to_owned());
            }
            Ok(())
        })
        .await
    }

    /// Waits until the timeline says how the newest call ended.
    pub async fn reads_of_a_call(&self, end: &str) -> Result<()> {
        let page = self.page()?;
        let step = self.step("reads how the call ended", async {
            until(&format!("a call that {end}"), quick(), async || {
                let ends = page
                    .data_of_all(
                        "[data-testid=\"system-line\"][data-event=\"callEnded\"]",
                        "end",
                    )
                    .await
                    .map_err(|f| f.to_string())?;
                match ends.last() {
                    Some(last) if last == end => Ok(()),
                    _ => Err(format!("there is {ends:?}")),
                }
            })
            .await
        });
        step.await
    }
}

async fn watch(page: &Page, source: Source, time: Duration) -> Result<Watched> {
    let arguments = vec![
        json!(source.tile()),
        json!(time.as_millis() as u64),
        json!(picture::WIDTH),
        json!(picture::HEIGHT),
    ];
    let seen = page.ask_and_wait(WATCH, arguments).await?;
    judge(&seen).ok_or_else(|| Failure::new(format!("the page said {seen}")))
}

/// What the page saw, in numbers.
fn judge(seen: &Value) -> Option<Watched> {
    let looks = seen["looks"].as_array()?;
    let numbers: Vec<Option<u32>> = looks
        .iter()
        .map(|look| picture::number(&STANDARD.decode(look.as_str()?).ok()?))
        .collect();
    let mut read: Vec<u32> = numbers.iter().copied().flatten().collect();
    let unread = numbers.len() - read.len();
    let times = seen["times"].as_array()?.iter().filter_map(Value::as_f64);
    let (first, last) = (times.clone().next(), times.clone().next_back());
    let span = last.unwrap_or_default() - first.unwrap_or_default();
    let counted = match (read.first(), read.last()) {
        (Some(first), Some(last)) => last.saturating_sub(*first),
        _ => 0,
    };
    read.dedup();
    let side = |name: &str| u32::try_from(seen[name].as_u64()?).ok();
    Some(Watched {
        time: Duration::from_secs_f64(seen["ms"].as_f64()? / 1_000.0),
        span: Duration::from_secs_f64(span.max(0.0) / 1_000.0),
        counted,
        painted: read.len() as u32,
        unread: unread as u32,
        size: (side("width")?, side("height")?),
    })
}
