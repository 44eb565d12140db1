//! Lambda `dispatch`: takes batches of the dispatch queue, carries out each message by the use case of
//! that name, and reports which ones the queue must keep. Holds no logic of its own.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use ryla_domain::id::ClaimId;
use ryla_engine::dispatch::{Dispatch, Handled};

/// Carries out a batch, its messages side by side. `invocation` names this call; with the message id
/// it makes the claim, so that a claim whose reply was lost is recognised.
pub async fn handle(dispatch: &Dispatch, invocation: &str, event: SqsEvent) -> SqsBatchResponse {
    let (ids, messages): (Vec<_>, Vec<_>) = event
        .records
        .into_iter()
        .map(|record| {
            let id = record.message_id.unwrap_or_default();
            let claim = claim_id(invocation, &id);
            (id, (record.body.unwrap_or_default(), claim))
        })
        .unzip();
    let handled = dispatch.handle_all(&messages).await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = ids
        .into_iter()
        .zip(handled)
        .filter(|(_, handled)| *handled != Handled::Done)
        .map(|(id, _)| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

/// Invocation and message together, cut to what a claim may hold.
fn claim_id(invocation: &str, message: &str) -> ClaimId {
    let plain = |text: &str, most: usize| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .take(most)
            .collect()
    };
    let name = format!("{}.{}", plain(invocation, 31), plain(message, 32));
    match name.parse() {
        Ok(claim) => claim,
        Err(_) => unreachable!("letters, digits and a dot, at most 64, are a claim's name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_messages_of_one_invocation_make_two_claims() {
        let a = claim_id(
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "19dd0b57-b21e-4ac1-bd88-01bbb068cb78",
        );
        let b = claim_id(
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "19dd0b57-b21e-4ac1-bd88-01bbb068cb79",
        );
        assert_ne!(a, b);
        assert_eq!(claim_id("", "").as_str(), ".");
    }
}
