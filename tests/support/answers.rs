//! What the crate says, in the words of the model.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use hchan::{RecvError, SendError, TryRecvError, TrySendError};

use crate::model::{Answer, Value};

pub fn tried_to_send<T: Into<Value>>(said: Result<(), TrySendError<T>>) -> Answer {
    match said {
        Ok(()) => Answer::Sent,
        Err(TrySendError::Full(value)) => Answer::Full(value.into()),
        Err(TrySendError::Closed(value)) => Answer::Refused(value.into()),
    }
}

pub fn tried_to_receive<T: Into<Value>>(said: Result<T, TryRecvError>) -> Answer {
    match said {
        Ok(value) => Answer::Received(value.into()),
        Err(TryRecvError::Empty) => Answer::Empty,
        Err(TryRecvError::Closed) => Answer::Over,
    }
}

pub fn forced<T: Into<Value>>(said: Result<Option<T>, SendError<T>>) -> Answer {
    match said {
        Ok(None) => Answer::Sent,
        Ok(Some(value)) => Answer::GaveWay(value.into()),
        Err(SendError(value)) => Answer::Refused(value.into()),
    }
}

/// A permit is to be kept.
pub fn tried_to_reserve<P>(said: Result<P, TrySendError<()>>, keep: impl FnOnce(P)) -> Answer {
    match said {
        Ok(permit) => {
            keep(permit);
            Answer::Granted
        }
        Err(TrySendError::Full(())) => Answer::Busy,
        Err(TrySendError::Closed(())) => Answer::Denied,
    }
}

// Who waits gets the same answers, but none that says to wait.

pub fn sent<T: Into<Value>>(said: Result<(), SendError<T>>) -> Answer {
    tried_to_send(said.map_err(TrySendError::from))
}

pub fn received<T: Into<Value>>(said: Result<T, RecvError>) -> Answer {
    tried_to_receive(said.map_err(TryRecvError::from))
}

pub fn reserved<P>(said: Result<P, SendError<()>>, keep: impl FnOnce(P)) -> Answer {
    tried_to_reserve(said.map_err(TrySendError::from), keep)
}
