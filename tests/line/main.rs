//! The one outbound line and what it bears: waits, signs of life, outages, proxies.
