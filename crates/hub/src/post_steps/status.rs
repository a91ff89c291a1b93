//! Takes fields from a result. What is missing is named; nothing else comes of it (F-20 to F-22).

use serde_json::Value;
use sortie_rules::limits::FIELD_BYTES_MAX;

use super::spec::Field;

/// The fields that a result has, as JSON texts; or what is wrong, in a sentence.
pub(super) fn take(result: &Value, fields: &[Field]) -> Result<Vec<(String, String)>, String> {
    let (mut taken, mut missing, mut large) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        match result.pointer(&field.pointer) {
            Some(value) => match value.to_string() {
                text if text.len() > FIELD_BYTES_MAX => large.push(format!("`{}`", field.name)),
                text => taken.push((field.name.clone(), text)),
            },
            None if field.optional => {}
            None => missing.push(format!("`{}` (at {})", field.name, field.pointer)),
        }
    }
    if !missing.is_empty() {
        return Err(format!("the result lacks {}", missing.join(", ")));
    }
    if !large.is_empty() {
        return Err(format!("more than {FIELD_BYTES_MAX} bytes in {}", large.join(", ")));
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_taken_or_what_is_missing_is_named() {
        let field =
            |name: &str, pointer: &str, optional| Field { name: name.into(), pointer: pointer.into(), optional };
        let fields = [field("project", "/project/id", false), field("area", "/area", true)];
        let taken = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(take(&json!({"project": {"id": 7}}), &fields), Ok(vec![taken("project", "7")]));
        assert_eq!(
            take(&json!({"project": {"id": null}, "area": ["a"]}), &fields),
            Ok(vec![taken("project", "null"), taken("area", "[\"a\"]")])
        );
        for odd in [json!(null), json!([]), json!("text"), json!({"project": 7})] {
            assert_eq!(take(&odd, &fields), Err("the result lacks `project` (at /project/id)".to_owned()));
        }
        let large = json!({"project": {"id": "x".repeat(5000)}});
        assert!(take(&large, &fields).unwrap_err().contains("more than 4096 bytes in `project`"));
    }
}
