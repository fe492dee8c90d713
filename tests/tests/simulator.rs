//! Scenarios, attacks and storms in a simulated world. See
//! [`sotto_tests::world`].

mod simulator {
    mod attacks;
    mod calls;
    mod changes;
    mod faults;
    mod joining;
    mod leaving;
    mod rooms;
    mod storms;
    mod talking;
}
