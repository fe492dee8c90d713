//! Builds the tree from the parser's events, with a stack of its own instead
//! of recursion.

use super::{
    Block, Inline,
    frames::{Blocks, Frame, Kind, Span, frame, trimmed},
    links::{linkify, names_another_place, safe_href},
};
use pulldown_cmark::{Event, Tag};

/// Most containers inside each other. Deeper ones are flattened into the last.
const DEPTH: usize = 10;

/// The tree of a document; `None` if it would have more than `most` nodes.
pub fn tree<'a>(events: impl Iterator<Item = Event<'a>>, most: usize) -> Option<Vec<Block>> {
    let mut builder = Builder {
        stack: vec![Frame::Blocks(Blocks::new(Kind::Root))],
        left: most,
    };
    for event in events {
        builder.event(event)?;
    }
    // The parser closes what it opened; a document that ends inside something
    // is closed here all the same.
    while builder.stack.len() > 1 {
        builder.close()?;
    }
    match builder.stack.pop() {
        Some(Frame::Blocks(blocks)) => Some(blocks.done()),
        _ => None,
    }
}

struct Builder {
    /// Never empty; the first is the root.
    stack: Vec<Frame>,
    left: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Option<()> {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(_) => self.close(),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => self.inline(Inline::Code {
                text: text.into_string(),
            }),
            Event::SoftBreak | Event::HardBreak => self.inline(Inline::Break),
            Event::Rule => self.block(Block::Paragraph {
                inlines: vec![Inline::Text {
                    text: "———".into()
                }],
            }),
            // Not asked of the parser; shown as text should it ever send them.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text)
            }
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
        }
    }

    fn open(&mut self, tag: Tag<'_>) -> Option<()> {
        let frame = if self.stack.len() > DEPTH {
            Frame::Through
        } else {
            frame(tag)
        };
        // A block inside a paragraph cannot be shown; it is flattened.
        let fits = match (&frame, self.stack.last()) {
            (Frame::Through, _) => true,
            (
                Frame::Inlines {
                    kind: Span::Paragraph | Span::Heading,
                    ..
                },
                Some(Frame::Blocks(b)),
            ) => !matches!(b.kind, Kind::List { .. }),
            (
                Frame::Inlines {
                    kind: Span::Paragraph | Span::Heading,
                    ..
                },
                _,
            ) => false,
            (Frame::Inlines { .. }, _) => true,
            (Frame::Blocks(inner), Some(Frame::Blocks(outer))) => {
                matches!(inner.kind, Kind::Item) == matches!(outer.kind, Kind::List { .. })
            }
            (Frame::Blocks(_) | Frame::Code { .. }, below) => {
                matches!(below, Some(Frame::Blocks(_)))
            }
        };
        self.stack.push(if fits { frame } else { Frame::Through });
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        if self.stack.len() == 1 {
            return Some(());
        }
        match self.stack.pop()? {
            Frame::Through => self.separate(),
            Frame::Code { language, text } => {
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                self.block(Block::Code { language, text })
            }
            Frame::Blocks(blocks) => self.close_blocks(blocks),
            Frame::Inlines { kind, inlines } => self.close_span(kind, inlines),
        }
    }

    fn close_blocks(&mut self, mut blocks: Blocks) -> Option<()> {
        blocks.settle();
        match blocks.kind {
            Kind::Root => Some(()),
            Kind::Quote => self.block(Block::Quote {
                blocks: blocks.blocks,
            }),
            Kind::List { start, items } => self.block(Block::List { start, items }),
            Kind::Item => {
                let item = blocks.blocks;
                match self.stack.last_mut() {
                    Some(Frame::Blocks(Blocks {
                        kind: Kind::List { items, .. },
                        ..
                    })) => {
                        self.left = self.left.checked_sub(1)?;
                        items.push(item);
                    }
                    _ => item.into_iter().try_for_each(|block| self.block(block))?,
                }
                Some(())
            }
        }
    }

    fn close_span(&mut self, kind: Span, inlines: Vec<Inline>) -> Option<()> {
        match kind {
            Span::Paragraph => {
                let inlines = trimmed(inlines);
                if inlines.is_empty() {
                    Some(())
                } else {
                    self.block(Block::Paragraph { inlines })
                }
            }
            Span::Heading => {
                let inlines = vec![Inline::Strong {
                    inlines: trimmed(inlines),
                }];
                self.block(Block::Paragraph { inlines })
            }
            Span::Strong => self.inline(Inline::Strong { inlines }),
            Span::Emphasis => self.inline(Inline::Emphasis { inlines }),
            Span::Strike => self.inline(Inline::Strike { inlines }),
            Span::Link(target) => self.link(&target, inlines),
            Span::Image(target) => {
                let described = !text_of(&inlines).trim().is_empty();
                let shown = if described {
                    inlines
                } else {
                    vec![Inline::Text { text: target }]
                };
                shown.into_iter().try_for_each(|inline| self.inline(inline))
            }
        }
    }

    fn link(&mut self, target: &str, inlines: Vec<Inline>) -> Option<()> {
        let text = text_of(&inlines);
        let Some(href) = safe_href(target) else {
            // What was typed: the text, and where it would have led.
            inlines
                .into_iter()
                .try_for_each(|inline| self.inline(inline))?;
            return if text == target {
                Some(())
            } else {
                self.inline(Inline::Text {
                    text: format!(" ({target})"),
                })
            };
        };
        let honest = !text.trim().is_empty() && !names_another_place(&text, &href);
        let inlines = if honest {
            inlines
        } else {
            vec![Inline::Text { text: href.clone() }]
        };
        self.inline(Inline::Link { href, inlines })
    }

    fn text(&mut self, text: &str) -> Option<()> {
        if let Some(Frame::Code { text: code, .. }) = self.stack.last_mut() {
            code.push_str(text);
            return Some(());
        }
        let inside_link = self.stack.iter().any(|f| {
            matches!(
                f,
                Frame::Inlines {
                    kind: Span::Link(_),
                    ..
                }
            )
        });
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.inline(Inline::Break)?;
            }
            if inside_link {
                self.inline(Inline::Text {
                    text: line.to_owned(),
                })?;
            } else {
                linkify(line)
                    .into_iter()
                    .try_for_each(|inline| self.inline(inline))?;
            }
        }
        Some(())
    }

    fn block(&mut self, block: Block) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        for frame in self.stack.iter_mut().rev() {
            if let Frame::Blocks(blocks) = frame {
                blocks.push(block);
                break;
            }
        }
        Some(())
    }

    fn inline(&mut self, inline: Inline) -> Option<()> {
        if matches!(&inline, Inline::Text { text } if text.is_empty()) {
            return Some(());
        }
        self.left = self.left.checked_sub(1)?;
        for frame in self.stack.iter_mut().rev() {
            match frame {
                Frame::Through => {}
                Frame::Inlines { inlines, .. } => {
                    inlines.push(inline);
                    break;
                }
                Frame::Blocks(blocks) => {
                    blocks.loose.push(inline);
                    break;
                }
                Frame::Code { text, .. } => {
                    text.push_str(&text_of(&[inline]));
                    break;
                }
            }
        }
        Some(())
    }

    /// Keeps flattened blocks on lines of their own.
    fn separate(&mut self) -> Option<()> {
        let last = self.stack.iter().rev().find_map(|frame| match frame {
            Frame::Inlines { inlines, .. } => Some(inlines.last()),
            Frame::Blocks(blocks) => Some(blocks.loose.last()),
            _ => None,
        });
        match last.flatten() {
            Some(Inline::Break) | None => Some(()),
            Some(_) => self.inline(Inline::Break),
        }
    }
}

/// The words of inlines, without their form.
fn text_of(inlines: &[Inline]) -> String {
    // The depth of the tree bounds the recursion.
    let mut said = String::new();
    for inline in inlines {
        match inline {
            Inline::Text { text } | Inline::Code { text } => said.push_str(text),
            Inline::Break => said.push('\n'),
            Inline::Strong { inlines }
            | Inline::Emphasis { inlines }
            | Inline::Strike { inlines }
            | Inline::Link { inlines, .. } => said.push_str(&text_of(inlines)),
        }
    }
    said
}
