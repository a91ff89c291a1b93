//! Puts a request's span into the trace that its caller named (W3C Trace Context, version 00), so
//! that whoever asked finds what the hub did for them. Without traces it does nothing.

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use sortie_rules::limits::TRACEPARENT_BYTES_MAX;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes the span a part of the caller's trace, if it named one.
pub(super) fn join(span: &tracing::Span, headers: &HeaderMap) {
    let named = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(read);
    if let Some(caller) = named {
        // It fails where no traces are kept.
        let _nobody_listens = span.set_parent(Context::new().with_remote_span_context(caller));
    }
}

/// `00-`, the trace, the caller's span and the flags, in hex of lower case and with dashes between.
fn read(text: &str) -> Option<SpanContext> {
    if text.len() != TRACEPARENT_BYTES_MAX || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || trace.len() != 32 || span.len() != 16 {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let caller = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    caller.is_valid().then_some(caller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_and_what_is_none_is_left_alone() {
        let caller = read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(caller.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(caller.span_id().to_string(), "b7ad6b7169203331");
        assert!(caller.is_sampled() && caller.is_remote());
        for none in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-xx",
        ] {
            assert!(read(none).is_none(), "{none}");
        }
    }
}
