//! The name of a setting in a message: the flag or the key that the user wrote.

/// The flag, or the key of the suite if only the suite has the setting.
pub(super) fn given_as(flag: &str, key: &str, is_flag_given: bool, is_key_given: bool) -> String {
    match !is_flag_given && is_key_given {
        true => format!("--suite: {key}"),
        false => flag.to_owned(),
    }
}
