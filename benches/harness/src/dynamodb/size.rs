//! How large an item is and what it costs, by the rules of DynamoDB's developer guide ("Item sizes and
//! formats", "Read and write operations").

use super::Item;
use serde_json::Value;

/// Bytes of an item: its names and its values.
pub(super) fn of(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + of_value(value))
        .sum()
}

fn of_value(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return 0;
    };
    let text = || value.as_str().map_or(0, str::len);
    let list = || value.as_array().map_or(&[][..], Vec::as_slice);
    match kind.as_str() {
        "S" => text(),
        // One byte for two digits, and one more.
        "N" => text().div_ceil(2) + 1,
        // Base64 as it travels.
        "B" => {
            let padding = value.as_str().map_or(0, |b| b.matches('=').count());
            (text() / 4 * 3).saturating_sub(padding)
        }
        "L" => {
            3 + list()
                .iter()
                .map(|value| 1 + of_value(value))
                .sum::<usize>()
        }
        "M" => 3 + value.as_object().map_or(0, |map| map.len() + of(map)),
        "SS" | "NS" | "BS" => {
            let texts = list().iter().filter_map(Value::as_str);
            texts.map(str::len).sum()
        }
        _ => 1,
    }
}

/// One unit for each KiB begun, and at least one.
#[expect(clippy::cast_precision_loss, reason = "items have at most 400 KiB")]
pub(super) fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(1024).max(1) as f64
}

/// One unit for each 4 KiB begun, half of it where an eventually consistent answer will do.
#[expect(clippy::cast_precision_loss, reason = "items have at most 400 KiB")]
pub(super) fn read_units(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_count_and_numbers_take_half_their_digits() {
        let item = json!({"pk": {"S": "abc"}, "n": {"N": "1234567890"}, "b": {"B": "AAECAw=="}, "t": {"BOOL": true}, "l": {"L": [{"S": "ab"}]}});
        let size = item.as_object().map(of);
        assert_eq!(
            size,
            Some((2 + 3) + (1 + 6) + (1 + 4) + (1 + 1) + (1 + 3 + 1 + 2))
        );
    }

    #[test]
    fn units_are_counted_in_kib_begun() {
        let units = [0, 1, 1024, 1025].map(|bytes| write_units(bytes).to_string());
        assert_eq!(units, ["1", "1", "1", "2"]);
        let reads = [
            read_units(0, false),
            read_units(4096, true),
            read_units(4097, true),
        ];
        assert_eq!(reads.map(|units| units.to_string()), ["0.5", "1", "2"]);
    }
}
