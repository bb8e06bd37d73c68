//! Certificates and metadata of providers that are only there to test with.

use jiff::Timestamp;

use super::certificate::Certificate;
use super::metadata::Metadata;

/// An RSA key of 2,048 bits.
pub(crate) const ONE: &str = "MIIC/zCCAeegAwIBAgIUcV0j60F2X2bLlAXRxcgo/EUjHv4wDQYJKoZIhvcNAQELBQAwDjEMMAoGA1UEAwwDb25lMCAXDTI2MTEy\
    OTA4NDExM1oYDzIxMjYxMTA1MDg0MTEzWjAOMQwwCgYDVQQDDANvbmUwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCM\
    WYBNvGUNWqDLWaXrNZXVTCxwOqoEs3jNL6g1PAVzC6iBnqfWzw3qN/7aEJLf2iUYe3wXD0cZHBWbB27G5koIdoql4STT3acBmKQo\
    zO+fFEZJjxRjTUmwMdQNr9P1B06hZ4W1nFjI9fn2fzxvLuelZ/WGzta9t0wkFT/X1P5uTW+fV5bNTX/jl5eePXjclFiTxewQgE/u\
    wSufkx8EHM4NbBZVaDOmX/wn49tN1RzJLMzTRoO8DjKIlzg1sPLcSku+Y/74vuhI84H8KU7avLEHMwZku3tMZKRkspc1ov0nYoXn\
    Nuo4Jrht8djd82WVJQvEbPUmrgQIdf3PdStojU1DAgMBAAGjUzBRMB0GA1UdDgQWBBQqugZGbYPAwPEEitUVExU+Yw1aEjAfBgNV\
    HSMEGDAWgBQqugZGbYPAwPEEitUVExU+Yw1aEjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQB+/x9FdK/NIjvH\
    foSDGd4qkIldq7otOpCFLayKGk8hnwfqZsMeGK+g29jaG7lQZJ9MYooGJcNMqqWYtU/ENF5zSrPN415j2Kyhs9TvjH4OLPY+PRhK\
    GVeniT6CT9VUVMRpU6bfkIRm0jywQWOVcdjy0RgCwZGgKkggzrMzqujOeoff04q5YwijG9MHwh+OtktfFIWl2nEiZ2GmEeYYqhya\
    Nc8wrgvsudPnVTCyhQ9ggGoGhCUSCq66x6ARU6pJamlOjPszd7Z5HBd5rJ3sztDCNXDRVUKn7YWVYJ1auzDGuKOaQmdX5TSmQw5O\
    Sb8ZWoWrmiNSwIEKS92JD9pgwEmH";

/// Another one.
pub(crate) const TWO: &str = "MIIC/zCCAeegAwIBAgIUOlEAyEQEKt/yBeL6hBL7Y4Zq3RIwDQYJKoZIhvcNAQELBQAwDjEMMAoGA1UEAwwDdHdvMCAXDTI2MTEy\
    OTA4NDExM1oYDzIxMjYxMTA1MDg0MTEzWjAOMQwwCgYDVQQDDAN0d28wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCr\
    lH5v+CtEx76MwTi4m34hf2vo9AlOfC0lThu95QpsjR92TQNeifZ83yNraNFlfs9y30XAfyQc6Q0QVN+Faxr2XNFRuQ5X0J8pUz7Q\
    LeH1XbtIY5WFyeB9cna+90AXePYRHOULyf4UHP37qq5/VLqpCxSlzLWJajkxTQNvUH6fuFIErnWct4EpJpWfG8SQIIACDOkkRnWK\
    g335+vbGaFOW4lVlxNa+kWcizTBMmuvu5kg/1uIg6+1qb5+Iy0is4T3EtmrkeuecP6ahIWuTeggRCC+jmfdbncZsVRDSIzMTgk5C\
    bRNDJ7Nv0bMiHeMI7Dya8YR43f2xMFITWrtLo+znAgMBAAGjUzBRMB0GA1UdDgQWBBRbsP7uehVPWysOne3CUnWdgvGHgzAfBgNV\
    HSMEGDAWgBRbsP7uehVPWysOne3CUnWdgvGHgzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQB3OQVnkVtStaVg\
    cUxHjbREtffTw29hmh7X4K4+9kca8wm6zKXTw4J4M+tzblo3W2/YdqDie1fSRmm2vn7aySIBYcFb+U3uSNG+YOsh15LwMTmO/kZm\
    73DlhsVdzDTj4oxdBrHODCqYgT4BP6MgzU3ncF55nUxf0DJAmlRMGJ/OF3Sh9DLP4FfhGnNaluG2E5Ic1ahJ7YmG83hwcc9an3qL\
    TDW1vN0yBuBdpmLTIUKXCFQcVbe2fQgS88YiHEfi5No2FYqazRY5krmFBmw4RnhXX3Iqay0VeOZea9AH+3mU7YdOY7TJndQ0viWM\
    i8BHwINI6itgq+4dMtGDtDI/d/dS";

/// An RSA key of 1,024 bits.
pub(crate) const SMALL: &str = "MIIB/jCCAWegAwIBAgIUITMEJtefB/bVnEA/iMxWjGbZCm4wDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFc21hbGwwIBcNMjYx\
    MTI5MDg0MTEzWhgPMjEyNjExMDUwODQxMTNaMBAxDjAMBgNVBAMMBXNtYWxsMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDy\
    SvV6NHbd20bmmETSML1Lu/UtYbiq+B+5cEIUhCC7vDLIardW202mJbPFETPFmnRl38CThArJnJx10m5JZ3hrEpM2av5nay0QgCai\
    Uby9Sbb1102HDM4uLM4VIhxF/mn0NNVan9F+Gw91lP0HVQwu29vw5h2yyUKKzZOpFuduAQIDAQABo1MwUTAdBgNVHQ4EFgQUV84g\
    oz8YfUNqdpMCdqM8Av9AacYwHwYDVR0jBBgwFoAUV84goz8YfUNqdpMCdqM8Av9AacYwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG\
    9w0BAQsFAAOBgQCR00D8TqlCRkqZnwO1tOUnCTb7LUVjRcp/HaYbze5b5cu3IiHOlg3wFXvcI+SQUid09ls+aK+W+Q9jcSlXUZFX\
    Pf5RYAZu1l6Vm2kKDvnilRSrWn9GQO5CEeDq8yz6I0+Ww+25VlSDRQYV8Yz9OhFbFrmOC1Cl8m38Sk9EMajxBw==";

/// A key on the curve P-256.
pub(crate) const EC: &str = "MIIBcTCCARegAwIBAgIUPfkZziNK/VGC2UXEEzWAIycWIaUwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCZWMwIBcNMjYxMTI5MDg0\
    MTEzWhgPMjEyNjExMDUwODQxMTNaMA0xCzAJBgNVBAMMAmVjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERzQHHBFj17RgU/MZ\
    1vez4IqE1pBg5z2YkjdPu0xoUXA00CuIhytERV+ztwv4dXRwc91aDmLp0d3XraA6xWjtiaNTMFEwHQYDVR0OBBYEFBsdx7ueOiMG\
    kEFl7daliBs+OjojMB8GA1UdIwQYMBaAFBsdx7ueOiMGkEFl7daliBs+OjojMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID\
    SAAwRQIgfIYC/TySCpQ1DhBSX36SW83r1ZJSNxvLhQBwoTaNDv8CIQDpvnL4uvho6VmzH69I/V09xTAZJEh71upA9BKPwZM8gg==";

/// Returns the metadata of a provider with these certificates.
pub(crate) fn text(entity_id: &str, certificates: &[&str]) -> String {
    let keys: String = certificates
        .iter()
        .map(|certificate| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{certificate}\n\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"{entity_id}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}<md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://p.example/post\"/>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://p.example/sso?a=b&amp;c=d\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

/// Returns the same, read.
pub(crate) fn metadata(entity_id: &str, certificates: &[&str]) -> Metadata {
    Metadata::read(&text(entity_id, certificates), Timestamp::UNIX_EPOCH).unwrap()
}

/// Returns a certificate, read.
pub(crate) fn certificate(base64: &str) -> Certificate {
    Certificate::of_base64(base64).unwrap()
}
