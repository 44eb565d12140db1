//! What went wrong at AWS, told apart only as far as a caller can act on it. SDK errors carry no
//! item contents, and stay the source of what the port returns.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use ryla_engine::port::{ImageError, StoreError};
use std::error::Error;

/// A failed call of the table.
pub(crate) enum TableFault {
    /// Worth another try after a pause.
    Throttled(Box<dyn Error + Send + Sync>),
    /// Anything else; whether the write happened is not known.
    Other(Box<dyn Error + Send + Sync>),
}

impl TableFault {
    pub(crate) fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        SdkError<E, R>: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let throttled = error.code().is_some_and(is_throttling);
        let source = Box::new(error);
        if throttled {
            Self::Throttled(source)
        } else {
            Self::Other(source)
        }
    }
}

impl From<TableFault> for StoreError {
    fn from(fault: TableFault) -> Self {
        match fault {
            TableFault::Throttled(source) => Self::Throttled(source),
            TableFault::Other(source) => Self::Unavailable(source),
        }
    }
}

/// `DynamoDB`'s codes for "not now, and not done"
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "LimitExceededException"
    )
}

/// A failed call of the bucket.
pub(crate) fn bucket_fault(error: impl Error + Send + Sync + 'static) -> ImageError {
    ImageError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    fn store_error(code: &str) -> StoreError {
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        TableFault::of(SdkError::service_error(error, ())).into()
    }

    #[test]
    fn throttling_is_told_apart_and_the_source_is_kept() {
        for code in [
            "ThrottlingException",
            "RequestLimitExceeded",
            "TransactionConflictException",
        ] {
            let error = store_error(code);
            assert!(matches!(error, StoreError::Throttled(_)), "{code}");
            assert!(error.source().is_some(), "{code}");
        }
        for code in [
            "AccessDeniedException",
            "InternalServerError",
            "ResourceNotFoundException",
        ] {
            let error = store_error(code);
            assert!(matches!(error, StoreError::Unavailable(_)), "{code}");
            assert!(error.source().is_some(), "{code}");
        }
    }
}
