//! Fields whose values are credentials, as a text for others shows them.

/// Their names.
const CREDENTIALS: [&str; 3] = ["Authorization", "Proxy-Authorization", "Cookie"];

/// `Name: ...` for a field that is a credential, written as `Name: value` or `Name=value`; `None`
/// for any other.
pub fn masked(field: &str) -> Option<String> {
    let (name, _) = field.split_at(field.find([':', '='])?);
    let is_credential = CREDENTIALS
        .iter()
        .any(|credential| name.trim().eq_ignore_ascii_case(credential));
    is_credential.then(|| format!("{name}: ..."))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn credentials_lose_their_values_and_other_fields_are_left() {
        for (field, shown) in [
            ("Authorization: Bearer s3cret", Some("Authorization: ...")),
            (
                "proxy-authorization:s3cret",
                Some("proxy-authorization: ..."),
            ),
            ("Cookie=a=b", Some("Cookie: ...")),
            ("Cookie: ...", Some("Cookie: ...")),
            ("Accept: */*", None),
            ("X-Note: Cookie: a", None),
            ("Cookie", None),
            ("", None),
        ] {
            assert_eq!(masked(field).as_deref(), shown, "{field}");
        }
    }
}
