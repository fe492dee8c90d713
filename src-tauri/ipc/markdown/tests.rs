//! Messages become a tree that nobody can hide, turn or click anything harmful
//! in.

use super::*;
use std::time::{Duration, Instant};

/// The tree on one line, for reading: `p(strong(a) b)`.
fn shown(text: &str) -> String {
    parse(text).iter().map(block).collect::<Vec<_>>().join(" ")
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph { inlines } => format!("p({})", line(inlines)),
        Block::Code { language, text } => format!("code:{language}({text})"),
        Block::Quote { blocks } => {
            format!(
                "quote({})",
                blocks.iter().map(self::block).collect::<Vec<_>>().join(" ")
            )
        }
        Block::List { start, items } => {
            let items = items
                .iter()
                .map(|item| item.iter().map(self::block).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
                .join(" | ");
            format!(
                "list{}({items})",
                start.map(|n| n.to_string()).unwrap_or_default()
            )
        }
    }
}

fn line(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text { text } => text.clone(),
            Inline::Code { text } => format!("`{text}`"),
            Inline::Break => "/".into(),
            Inline::Strong { inlines } => format!("strong({})", line(inlines)),
            Inline::Emphasis { inlines } => format!("em({})", line(inlines)),
            Inline::Strike { inlines } => format!("strike({})", line(inlines)),
            Inline::Link { href, inlines } => format!("link[{href}]({})", line(inlines)),
        })
        .collect()
}

fn nodes(blocks: &[Block]) -> usize {
    serde_json::to_string(blocks)
        .unwrap()
        .matches("\"type\":")
        .count()
}

#[test]
fn markdown_becomes_a_tree() {
    let check = |text: &str, expect: &str| assert_eq!(shown(text), expect, "{text:?}");
    check("hello", "p(hello)");
    check("**a** *b* ~~c~~ `d`", "p(strong(a) em(b) strike(c) `d`)");
    check("one\ntwo", "p(one/two)");
    check("one\n\ntwo", "p(one) p(two)");
    check("> said\n\nanswer", "quote(p(said)) p(answer)");
    check("- a\n- b\n  - c", "list(p(a) | p(b) list(p(c)))");
    check("3. a\n4. b", "list3(p(a) | p(b))");
    check("```rust\nfn x() {}\n```", "code:rust(fn x() {})");
    check("# Title", "p(strong(Title))");
    check("a\n\n---\n\nb", "p(a) p(———) p(b)");
    check(
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "p(| a | b |/|---|---|/| 1 | 2 |)",
    );
    check("1 &lt; 2 &amp; 3", "p(1 < 2 & 3)");
}

#[test]
fn html_is_text() {
    let check = |text: &str, expect: &str| assert_eq!(shown(text), expect, "{text:?}");
    check("<script>alert(1)</script>", "p(<script>alert(1)</script>)");
    check("a <img src=x onerror=y> b", "p(a <img src=x onerror=y> b)");
    check("<div>\n*a*\n</div>", "p(<div>/*a*/</div>)");
    check("<!-- hidden -->", "p(<!-- hidden -->)");
}

#[test]
fn an_image_is_its_description() {
    assert_eq!(shown("![a cat](https://x.example/cat.png)"), "p(a cat)");
    assert_eq!(
        shown("![](https://x.example/cat.png)"),
        "p(https://x.example/cat.png)"
    );
}

#[test]
fn only_https_and_mailto_are_links() {
    let check = |text: &str, expect: &str| assert_eq!(shown(text), expect, "{text:?}");
    check(
        "[a](https://x.example/b?c#d)",
        "p(link[https://x.example/b?c#d](a))",
    );
    check("[a](HTTPS://x.example)", "p(link[https://x.example](a))");
    check(
        "[a](mailto:a@x.example?attach=/etc/passwd)",
        "p(link[mailto:a@x.example](a))",
    );
    check("[a](javascript:alert(1))", "p(a (javascript:alert(1)))");
    check("[a](data:text/html,x)", "p(a (data:text/html,x))");
    check("[a](file:///etc/passwd)", "p(a (file:///etc/passwd))");
    check("[a](http://x.example)", "p(a (http://x.example))");
    check(
        "[a](https://user@x.example)",
        "p(a (https://user@x.example))",
    );
    check("[a](//x.example)", "p(a (//x.example))");
    check(
        "<https://x.example/a>",
        "p(link[https://x.example/a](https://x.example/a))",
    );
    check("<sotto://join/x>", "p(sotto://join/x)");
}

#[test]
fn a_link_cannot_pretend_to_lead_elsewhere() {
    let check = |text: &str, expect: &str| assert_eq!(shown(text), expect, "{text:?}");
    check(
        "[https://bank.example](https://evil.example/x)",
        "p(link[https://evil.example/x](https://evil.example/x))",
    );
    check(
        "[www.bank.example](https://evil.example)",
        "p(link[https://evil.example](https://evil.example))",
    );
    check(
        "[https://ok.example/page](https://ok.example/page?x)",
        "p(link[https://ok.example/page?x](https://ok.example/page))",
    );
    check(
        "[](https://x.example)",
        "p(link[https://x.example](https://x.example))",
    );
}

#[test]
fn bare_addresses_become_links_without_the_sentence_around_them() {
    let check = |text: &str, expect: &str| assert_eq!(shown(text), expect, "{text:?}");
    check(
        "see https://x.example/a_b_c.",
        "p(see link[https://x.example/a_b_c](https://x.example/a_b_c).)",
    );
    check(
        "(https://x.example/a(b))",
        "p((link[https://x.example/a(b)](https://x.example/a(b))))",
    );
    check("xhttps://x.example", "p(xhttps://x.example)");
    check("https://", "p(https://)");
    check("`https://x.example`", "p(`https://x.example`)");
}

#[test]
fn characters_that_hide_or_turn_text_are_gone() {
    assert_eq!(shown("a\u{202e}b\u{200b}c\u{2066}d\u{0}e"), "p(abcde)");
    assert_eq!(
        shown("[a](https://x\u{202e}.example)"),
        "p(link[https://x.example](a))"
    );
}

#[test]
fn nothing_that_was_typed_disappears() {
    assert_eq!(
        shown("[a]: https://x.example"),
        "p([a]: link[https://x.example](https://x.example))"
    );
    assert_eq!(
        shown("see\n\n[a]: https://x.example\n[a]: https://y.example"),
        "p(see) p([a]: link[https://x.example](https://x.example)/[a]: link[https://y.example](https://y.example))"
    );
    assert_eq!(shown("   "), "p()");
    assert_eq!(shown("&#0;"), "p(\u{fffd})");
}

#[test]
fn a_language_is_a_word() {
    assert_eq!(shown("```<b>\" onload=x\nx\n```"), "code:b(x)");
}

/// Deep nesting of every container, and of several at once.
#[test]
fn depth_is_bounded() {
    let deep = [
        ">".repeat(8_000) + "x",
        "> ".repeat(8_000) + "x",
        "- ".repeat(8_000) + "x",
        (0..180)
            .map(|n| format!("{}- x\n", " ".repeat(n)))
            .collect(),
        "*".repeat(8_000) + "x" + &"*".repeat(8_000),
        "**a ".repeat(4_000),
        "[".repeat(8_000) + "x" + &"](https://x.example)".repeat(400),
        "![".repeat(8_000),
        "1. > - ".repeat(2_000) + "x",
        "_a*b".repeat(4_000),
    ];
    for text in deep {
        let blocks = parse(&text);
        assert!(
            depth(&serde_json::to_value(&blocks).unwrap()) < 80,
            "{}",
            &text[..20]
        );
        assert!(nodes(&blocks) <= NODES, "{}", &text[..20]);
    }
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The longest messages there can be, made of what parsers find hard.
#[test]
fn no_message_is_slow() {
    let longest = sotto_client::model::TEXT_MAX;
    let hard = [
        "[",
        "]",
        "(",
        "[a](",
        "![",
        "*",
        "_",
        "**a",
        "~~",
        "`",
        "``a`",
        "<",
        "<a ",
        "&",
        "&#",
        "\\",
        ">",
        "> ",
        "1) ",
        "* ",
        "+ - ",
        ">-\t",
        "- ",
        "1. ",
        "# ",
        "```\n",
        "[a]: b\n",
        "[a]:\n",
        "|a",
        "https://",
        "https://a.b)",
        "https://x((",
        "<!--",
        "<?",
        "<![CDATA[",
        "a\n",
        "\n",
        "\t",
        "*a **b ",
        "[a][",
        "\u{202e}",
        "mailto:a@b ",
        "(",
        "🙂",
    ];
    for piece in hard {
        let text = piece.repeat(longest / piece.len());
        let started = Instant::now();
        let blocks = parse(&text);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(1), "{piece:?} took {took:?}");
        assert!(nodes(&blocks) <= NODES, "{piece:?}");
    }
}
