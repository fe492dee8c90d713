//! A profile that is locked: passphrase and keyring.

use super::Person;
use crate::{Result, long, quick};

impl Person {
    /// On the welcome screen, where no keyring answers.
    pub async fn chooses_a_passphrase(&self, passphrase: &str) -> Result<()> {
        self.backstage.heard(passphrase);
        self.step("chooses a passphrase", async {
            let page = self.page()?;
            page.sees_within("welcome-passphrase", long()).await?;
            page.fill("welcome-passphrase", passphrase).await
        })
        .await
    }

    /// In the settings, beside the keyring.
    pub async fn sets_a_passphrase(&self, passphrase: &str) -> Result<()> {
        self.backstage.heard(passphrase);
        self.step("sets a passphrase", async {
            let page = self.page()?;
            page.click("settings-open").await?;
            page.click("settings-security").await?;
            page.click("passphrase-edit").await?;
            page.fill("passphrase-new", passphrase).await?;
            page.fill("passphrase-repeat", passphrase).await?;
            page.click("passphrase-save").await?;
            page.sees_within("passphrase-remove", long()).await?;
            page.click("dialog-close").await?;
            page.misses("settings").await
        })
        .await
    }

    /// The app says that it is locked, why, and asks for the passphrase.
    pub async fn finds_it_locked(&self) -> Result<()> {
        self.step("finds the profile locked", async {
            let page = self.page()?;
            page.sees_within("unlock-passphrase", long()).await?;
            page.text_where("unlock-why", "why", quick(), |why| !why.is_empty())
                .await?;
            Ok(())
        })
        .await
    }

    /// Only the keyring could open it, and that is what the app says.
    pub async fn is_asked_for_the_keyring(&self) -> Result<()> {
        self.step("is asked for the keyring", async {
            let page = self.page()?;
            page.sees_within("unlock-keyring", long()).await?;
            page.misses("unlock-passphrase").await
        })
        .await
    }

    /// Tries the keyring while there is none: the screen stays and says so.
    pub async fn tries_the_keyring_in_vain(&self) -> Result<()> {
        self.step("tries the keyring in vain", async {
            let page = self.page()?;
            page.click("unlock-keyring").await?;
            page.sees_within("unlock-vain", long()).await
        })
        .await
    }

    /// Tries the keyring again, and it opens the profile.
    pub async fn tries_the_keyring_again(&self) -> Result<()> {
        self.step("tries the keyring again", async {
            let page = self.page()?;
            page.click("unlock-keyring").await?;
            page.sees_within("sidebar", long()).await
        })
        .await
    }

    /// A wrong passphrase: the screen stays and says so.
    pub async fn is_refused_with(&self, passphrase: &str) -> Result<()> {
        self.backstage.heard(passphrase);
        self.step("is refused with a wrong passphrase", async {
            let page = self.page()?;
            page.fill("unlock-passphrase", passphrase).await?;
            page.click("unlock-submit").await?;
            page.is_wrong("unlock-passphrase").await
        })
        .await
    }

    pub async fn unlocks_with(&self, passphrase: &str) -> Result<()> {
        self.step("unlocks the profile", async {
            let page = self.page()?;
            page.fill("unlock-passphrase", passphrase).await?;
            page.click("unlock-submit").await?;
            page.sees_within("sidebar", long()).await
        })
        .await
    }
}
