//! The program itself: one line on standard output, and a good end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

fn relay(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sotto-relay"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    line
}

#[test]
fn it_says_where_it_is_and_ends_well() {
    let mut child = relay(&["--bind", "127.0.0.1:0", "--memory"]);
    let line = first_line(&mut child);
    let address = line
        .trim()
        .strip_prefix("listening on ws://127.0.0.1:")
        .unwrap();
    assert!(address.parse::<u16>().is_ok_and(|port| port > 0), "{line}");

    let second = relay(&["--bind", &format!("127.0.0.1:{address}"), "--memory"]);
    let second = second.wait_with_output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains("port is in use") && said.contains("--bind"),
        "{said}"
    );

    #[cfg(unix)]
    {
        let kill = Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap();
        assert!(kill.success());
        assert!(child.wait().unwrap().success());
        let mut log = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        assert!(log.contains("relay stopped"), "{log}");
    }
    #[cfg(not(unix))]
    child.kill().unwrap();
}

#[test]
fn with_a_certificate_of_its_own_the_address_has_the_fingerprint() {
    let mut child = relay(&["--bind", "127.0.0.1:0", "--memory", "--tls-self-signed"]);
    let line = first_line(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let address: sotto_wire::RelayAddress = address.parse().unwrap();
    assert!(address.secure && address.pin.is_some());
}
