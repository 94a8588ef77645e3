//! What `inspect` gives as data, in JSON.
#![cfg(feature = "serde")]

mod support;

use hchan::{Select, bounded, inspect};
use serde_json::{Value, json};

use support::parked;

#[test]
fn channels_are_serialized() {
    let (line, (tx, rx)) = (line!(), bounded::<u8>(1));
    tx.set_name("a \"name\"\n");
    tx.try_send(1).unwrap();
    let send = parked(tx.send(2));
    let select = parked(Select::new().send(&tx, 3, |_| ()));
    let channels = serde_json::to_value(inspect::channels()).unwrap();
    let [channel] = &channels.as_array().unwrap()[..] else {
        panic!("one channel: {channels}");
    };
    assert_eq!(channel["number"], 1);
    assert_eq!(channel["name"], "a \"name\"\n");
    assert_eq!(channel["type_name"], "u8");
    let place = channel["made_at"].as_str().unwrap();
    assert!(
        place.starts_with(&format!("{}:{line}:", file!())),
        "{place}"
    );
    assert_eq!(
        (
            &channel["snapshot"]["qcount"],
            &channel["snapshot"]["dataqsiz"]
        ),
        (&json!(1), &json!(1))
    );
    assert_eq!(channel["receivers"]["count"], 1);
    let receiver = &channel["receivers"]["first"][0];
    assert_eq!(
        (&receiver["origin"], &receiver["at"]),
        (&json!("Made"), &json!(place))
    );
    let sends = &channel["sends"];
    assert_eq!(sends["count"], 2);
    let [first, second] = [0, 1].map(|number| &sends["first"][number]);
    assert_eq!(
        (&first["operation"], &first["select"]),
        (&json!("Send"), &json!(false))
    );
    assert_eq!(
        (&second["select"], &second["blocking"]),
        (&json!(true), &json!(false))
    );
    assert!(first["age_ms"].as_u64().unwrap() < 60_000);
    assert_eq!(channel["woken"], json!({ "count": 0, "first": [] }));

    drop((send, select));
    drop((tx, rx));
    assert_eq!(
        serde_json::to_value(inspect::channels()).unwrap(),
        Value::Array(Vec::new())
    );
}
