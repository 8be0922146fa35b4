//! The request that contestants are loaded with, and the changes that one of them may have.

use crate::load::ExpectedStatuses;

/// The request that each contestant is loaded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSettings {
    /// Request-target in origin-form; starts with a slash.
    pub path: String,
    /// Method, as it is sent.
    pub method: String,
    /// Fields beyond Host and Connection, or in their place.
    pub fields: Vec<(String, String)>,
    /// Body; Content-Length is added for it.
    pub body: Vec<u8>,
    /// The statuses that replies should have. Without them, any but 4xx, 5xx and beyond.
    pub expected_statuses: Option<ExpectedStatuses>,
    /// The body that every reply should have. Without one, any.
    pub expected_body: Option<Vec<u8>>,
}

/// Parts of a request that replace others; `None` leaves a part as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestChanges {
    /// Request-target.
    pub path: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// All fields.
    pub fields: Option<Vec<(String, String)>>,
    /// Body.
    pub body: Option<Vec<u8>>,
    /// Expected statuses.
    pub expected_statuses: Option<ExpectedStatuses>,
    /// Expected body.
    pub expected_body: Option<Vec<u8>>,
}

impl RequestChanges {
    /// `request` with these changes.
    pub fn of(&self, request: &RequestSettings) -> RequestSettings {
        let (changes, old) = (self.clone(), request.clone());
        RequestSettings {
            path: changes.path.unwrap_or(old.path),
            method: changes.method.unwrap_or(old.method),
            fields: changes.fields.unwrap_or(old.fields),
            body: changes.body.unwrap_or(old.body),
            expected_statuses: changes.expected_statuses.or(old.expected_statuses),
            expected_body: changes.expected_body.or(old.expected_body),
        }
    }
}

impl Default for RequestSettings {
    /// `GET /` without a body.
    fn default() -> RequestSettings {
        RequestSettings {
            path: "/".to_owned(),
            method: "GET".to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
            expected_statuses: None,
            expected_body: None,
        }
    }
}
