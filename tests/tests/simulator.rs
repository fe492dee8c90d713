//! Scenarios, attacks and storms in a simulated world. See
//! [`sotto_tests::world`].

mod simulator {
    mod storms;
    mod talking;
}
