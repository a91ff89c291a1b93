//! Puts a request's span into the trace that its caller named (W3C Trace Context), so
//! that whoever asked finds what the hub did for them. Without traces it does nothing.

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use sortie_rules::traces::is_traceparent;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes the span a part of the caller's trace, if it named one.
pub(super) fn join(span: &tracing::Span, headers: &HeaderMap) {
    let named = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(read);
    if let Some(caller) = named {
        // It fails where no traces are kept.
        let _nobody_listens = span.set_parent(Context::new().with_remote_span_context(caller));
    }
}

fn read(text: &str) -> Option<SpanContext> {
    if !is_traceparent(text) {
        return None;
    }
    let mut parts = text.split('-').skip(1);
    let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE))
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
        for none in ["", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "hello"] {
            assert!(read(none).is_none(), "{none}");
        }
    }
}
