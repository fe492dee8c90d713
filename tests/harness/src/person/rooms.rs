//! Rooms: creating, inviting, joining, letting in.

use super::Person;
use crate::{Result, quick};

/// An invite link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(pub String);

impl Person {
    /// Creates a room in which the host admits newcomers.
    pub async fn creates_room(&self, room: &str) -> Result<()> {
        self.backstage.heard(room);
        self.step("creates a room", async {
            let page = self.page()?;
            page.click("new-room").await?;
            page.fill("new-room-name", room).await?;
            page.click("new-room-by-host").await?;
            page.click("new-room-create").await?;
            self.is_in(room).await
        })
        .await
    }

    /// Waits until the room is open before them.
    pub async fn is_in(&self, room: &str) -> Result<()> {
        self.page()?
            .text_where("room-title", &format!("“{room}”"), quick(), |title| {
                title.contains(room)
            })
            .await?;
        Ok(())
    }

    pub async fn goes_to(&self, room: &str) -> Result<()> {
        self.step("goes to a room", async {
            self.page()?.click_where("room-row", room).await?;
            self.is_in(room).await
        })
        .await
    }

    /// Copies the invite link, made first where there is none, and hands it over.
    pub async fn copies_an_invite_link(&self) -> Result<Link> {
        self.step("copies an invite link", async {
            let page = self.page()?;
            self.looks_at_people().await?;
            page.sees("invites").await?;
            if !page.shows("invite-link").await {
                page.click("invite-create").await?;
            }
            page.sees("invite-link").await?;
            page.click("invite-copy").await?;
            let link = page.text("invite-link").await?;
            if let Some((_, secret)) = link.split_once('#') {
                self.backstage.heard(secret);
            }
            Ok(Link(link))
        })
        .await
    }

    async fn looks_at_people(&self) -> Result<()> {
        let page = self.page()?;
        if !page.is_pressed("people-open").await? {
            page.click("people-open").await?;
        }
        page.sees("people-panel").await
    }

    /// Closes the list of people, which covers a small window.
    pub async fn stops_looking_at_people(&self) -> Result<()> {
        self.step("stops looking at people", async {
            let page = self.page()?;
            if page.shows("people-panel").await {
                page.click("people-close").await?;
                page.misses("people-panel").await?;
            }
            Ok(())
        })
        .await
    }

    /// Joins by the link that was copied last, in whichever window: it comes
    /// from the clipboard.
    pub async fn joins_by_pasting(&self, link: &Link) -> Result<()> {
        self.step("joins by a pasted link", async {
            let page = self.page()?;
            page.click("join-open").await?;
            page.paste("join-link", &link.0).await?;
            page.click("join-submit").await
        })
        .await
    }

    pub async fn joins_by(&self, link: &Link) -> Result<()> {
        self.step("joins by a link", async {
            let page = self.page()?;
            page.click("join-open").await?;
            page.fill("join-link", &link.0).await?;
            page.click("join-submit").await
        })
        .await
    }

    /// Says yes to joining by the link that was clicked elsewhere.
    pub async fn follows_the_clicked_link(&self) -> Result<()> {
        self.step("follows the clicked link", async {
            let page = self.page()?;
            page.sees("join-found").await?;
            page.click("join-submit").await
        })
        .await
    }

    /// Says yes to the one who knocks.
    pub async fn lets_in(&self, who: &Person) -> Result<()> {
        self.step("lets someone in", async {
            let page = self.page()?;
            self.looks_at_people().await?;
            page.text_where("knock", &who.name, quick(), |text| text.contains(&who.name))
                .await?;
            page.click("knock-admit").await?;
            page.misses("knock-admit").await
        })
        .await
    }
}
