//! Where everybody's newest picture is, for whoever draws it.

use crate::console::TileId;
use crate::video::Tile;
use sotto_client::call::media::Peer;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Default)]
pub struct Tiles(RwLock<BTreeMap<TileId, Arc<Tile>>>);

impl Tiles {
    pub fn get(&self, id: &TileId) -> Option<Arc<Tile>> {
        let tiles = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tiles.get(id).cloned()
    }

    pub fn put(&self, id: TileId, tile: Arc<Tile>) {
        let mut tiles = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tiles.insert(id, tile);
    }

    pub fn remove(&self, id: &TileId) {
        let mut tiles = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tiles.remove(id);
    }

    pub fn remove_peer(&self, peer: Peer) {
        self.remove(&TileId::Camera(peer));
        self.remove(&TileId::Screen(peer));
    }
}
