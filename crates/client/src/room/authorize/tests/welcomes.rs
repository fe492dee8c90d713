//! Welcomes.

use super::*;

/// What Bob knocked with.
struct Asked {
    invite: MessageId,
    inviter: UserId,
}

/// Bob's Welcome by Alice, altered by `change`.
fn welcome(
    what: &str,
    expect: Verdict,
    change: impl FnOnce(&mut Vec<(u32, Vouched)>, &mut RoomState, &mut [u32; 2], &mut Asked),
) {
    let mut members = vec![(0, vouched(ALICE)), (1, vouched(BOB)), (2, vouched(CAROL))];
    let (mut state, mut leaves) = (scene().state, [1, 0]);
    let mut asked = Asked {
        invite: HOSTS,
        inviter: ALICE,
    };
    change(&mut members, &mut state, &mut leaves, &mut asked);
    let facts = WelcomeFacts {
        asked_invite: asked.invite,
        inviter: asked.inviter,
        me: &vouched(BOB),
        own_leaf: leaves[0],
        sender_leaf: leaves[1],
        state: Some(&state),
        members: Some(&members),
    };
    assert_eq!(judge_welcome(&facts), expect, "{what}");
}

#[test]
fn a_welcome_is_judged_by_who_sends_it_and_who_is_in_it() {
    welcome("by the host", Ok(()), |_, _, _, _| {});
    welcome("by a member, on the invite", Ok(()), |_, _, leaves, _| {
        leaves[1] = 2
    });
    welcome(
        "on an invite that is closed",
        Err(Refusal::NoInvite),
        |_, _, leaves, asked| {
            (leaves[1], asked.invite) = (2, UNKNOWN);
        },
    );
    welcome(
        "by the host, on none",
        Err(Refusal::NoInvite),
        |_, _, _, asked| asked.invite = UNKNOWN,
    );
    welcome(
        "guarded, by a member",
        Err(Refusal::NoInvite),
        |_, state, leaves, _| {
            (leaves[1], state.admission) = (2, Admission::ByHost);
        },
    );
    welcome("guarded, by the host", Ok(()), |_, state, _, _| {
        state.admission = Admission::ByHost
    });
    welcome(
        "guarded, the host is gone",
        Ok(()),
        |members, state, leaves, asked| {
            (state.admission, state.host, leaves[1]) = (Admission::ByHost, DAVE, 0);
            (state.invites[0].by, asked.inviter) = (CAROL, CAROL);
            members[0].1 = vouched(CAROL);
            members.pop();
        },
    );
    welcome("by nobody", Err(Refusal::NotAMember), |_, _, leaves, _| {
        leaves[1] = 7
    });
    welcome("by oneself", Err(Refusal::NotAsked), |_, _, leaves, _| {
        leaves[1] = 1
    });
    welcome(
        "into somebody's seat",
        Err(Refusal::NotAsked),
        |_, _, leaves, _| leaves[0] = 2,
    );
    welcome("into no seat", Err(Refusal::NotAsked), |_, _, leaves, _| {
        leaves[0] = 7
    });
    welcome(
        "with somebody twice",
        Err(Refusal::Twice),
        |members, _, _, _| {
            members.push((3, vouched(CAROL)));
        },
    );
    welcome(
        "with oneself twice",
        Err(Refusal::Twice),
        |members, _, _, _| {
            members.push((3, vouched(BOB)));
        },
    );
    welcome(
        "on another device",
        Err(Refusal::NotAsked),
        |members, _, _, _| {
            members[1].1.device = device(DAVE);
        },
    );
    welcome(
        "under another leaf key",
        Err(Refusal::NotAsked),
        |members, _, _, _| {
            members[1].1.leaf_key = [9; 32];
        },
    );
}

#[test]
fn a_welcome_that_cannot_be_read_is_refused() {
    let (state, members) = (scene().state, [(0, vouched(ALICE)), (1, vouched(BOB))]);
    let me = vouched(BOB);
    let judge = |state, members| {
        let (asked_invite, own_leaf, sender_leaf) = (HOSTS, 1, 0);
        judge_welcome(&WelcomeFacts {
            asked_invite,
            inviter: ALICE,
            me: &me,
            own_leaf,
            sender_leaf,
            state,
            members,
        })
    };
    assert_eq!(judge(Some(&state), Some(&members)), Ok(()));
    assert_eq!(judge(None, Some(&members)), Err(Refusal::BadState));
    assert_eq!(judge(Some(&state), None), Err(Refusal::BadCertificate));
    assert_eq!(judge(Some(&state), Some(&[])), Err(Refusal::NotAsked));
}

#[test]
fn a_welcome_is_of_the_inviters_room() {
    welcome("on another's invite", Ok(()), |_, _, _, asked| {
        (asked.invite, asked.inviter) = (BOBS, BOB);
    });
    welcome(
        "on an invite of somebody else",
        Err(Refusal::NotAsked),
        |_, _, _, asked| asked.inviter = CAROL,
    );
    welcome(
        "on an invite that goes by another name in the room",
        Err(Refusal::NotAsked),
        |_, state, _, _| state.invites[0].by = CAROL,
    );
    welcome(
        "by the host, the inviter is not there",
        Err(Refusal::NotAsked),
        |_, state, _, asked| {
            (state.invites[0].by, asked.inviter) = (DAVE, DAVE);
        },
    );
}
