//! As much of STUN and TURN (RFC 8489, RFC 8656) as somebody in between needs:
//! to ask whether a server is there, and to know and refuse a request for an
//! allocation.

const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const HEAD: usize = 20;

const BINDING: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const ALLOCATE: u16 = 0x0003;
const ALLOCATE_ERROR: u16 = 0x0113;
const ERROR_CODE: u16 = 0x0009;

pub type Transaction = [u8; 12];

fn head(typ: u16, length: u16, transaction: &[u8]) -> Vec<u8> {
    let (typ, length) = (typ.to_be_bytes(), length.to_be_bytes());
    [&typ[..], &length, &COOKIE, transaction].concat()
}

/// The type and transaction of a message, if it is one.
fn read(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, body) = bytes.split_at_checked(HEAD)?;
    let length = u16::from_be_bytes([head[2], head[3]]);
    let whole = usize::from(length) == body.len() && head[4..8] == COOKIE;
    whole.then(|| (u16::from_be_bytes([head[0], head[1]]), &head[8..]))
}

/// A question that every STUN server answers.
pub fn binding(transaction: &Transaction) -> Vec<u8> {
    head(BINDING, 0, transaction)
}

/// Whether this answers it.
pub fn answers(bytes: &[u8], transaction: &Transaction) -> bool {
    read(bytes).is_some_and(|(typ, of)| {
        matches!(typ, BINDING_SUCCESS | BINDING_ERROR) && of == transaction
    })
}

pub fn is_allocate(bytes: &[u8]) -> bool {
    read(bytes).is_some_and(|(typ, _)| typ == ALLOCATE)
}

/// The answer that lets a client stop asking for an allocation: 508, as from a
/// server that has none left.
pub fn refusal(request: &[u8]) -> Option<Vec<u8>> {
    let reason = b"Not Needed";
    let length = u16::try_from(4 + reason.len()).ok()?;
    let (typ, transaction) = read(request)?;
    let mut bytes = head(ALLOCATE_ERROR, 4 + length.next_multiple_of(4), transaction);
    bytes.extend(ERROR_CODE.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 5, 8]);
    bytes.extend(reason);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    (typ == ALLOCATE).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_relay::turn::stun::{Class, Message, Method, Writing, attribute as a};

    #[test]
    fn what_is_made_here_is_read_by_the_relay() {
        let question = binding(&[7; 12]);
        let read = Message::read(&question).expect("a message");
        assert_eq!((read.class, read.method), (Class::Request, Method::Binding));
        let request = Writing::new(Class::Request, Method::Allocate, &[8; 12]).plain();
        let refused = refusal(&request).expect("a refusal");
        let read = Message::read(&refused).expect("a message");
        assert_eq!((read.class, read.method), (Class::Error, Method::Allocate));
        assert_eq!(read.transaction, [8; 12]);
        assert_eq!(read.get(a::ERROR_CODE).map(|v| (v[2], v[3])), Some((5, 8)));
    }

    #[test]
    fn an_answer_answers_one_question_and_whatever_else_comes_none() {
        let answer = |class, id| Writing::new(class, Method::Binding, &[id; 12]).plain();
        assert!(answers(&answer(Class::Success, 7), &[7; 12]));
        assert!(answers(&answer(Class::Error, 7), &[7; 12]));
        assert!(!answers(&answer(Class::Success, 8), &[7; 12]));
        assert!(!answers(&answer(Class::Request, 7), &[7; 12]));
        assert!(!answers(&answer(Class::Success, 7)[..19], &[7; 12]));
        assert!(!answers(b"", &[7; 12]));
        let allocate = Writing::new(Class::Request, Method::Allocate, &[7; 12]).plain();
        assert!(is_allocate(&allocate) && !is_allocate(&binding(&[7; 12])));
        assert_eq!(refusal(&binding(&[7; 12])), None);
    }
}
