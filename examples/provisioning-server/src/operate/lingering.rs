//! A connection that is closed so that its last answer arrives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::open::Use;

/// How long a client may go on sending what nobody wants.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of it is read.
const MOST: usize = 64 << 20;

/// A connection that reads on for a while when it is closed, and throws away what comes.
///
/// A system that closes a connection with bytes in it that nobody has read resets it, and the client loses what it had not
/// read yet: the answer (RFC 9112 section 9.6). So the side that sends is closed first, and the other when the client has
/// seen it, or has had its time.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    used: Arc<Use>,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Closing {
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, used: Arc<Use>) -> Self {
        Self {
            stream,
            used,
            closing: None,
        }
    }

    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lingering<S> {
    /// Throws away what comes until the client closes, or has sent too much, or for too long. A client that sends
    /// nothing at all is waited for only where it owes the rest of a request.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; 8 << 10];
        while let Some(closing) = &mut self.closing {
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    self.used.answered_early();
                    closing.left = closing.left.saturating_sub(read.filled().len());
                    if closing.left == 0 {
                        break;
                    }
                }
                Poll::Ready(_) => break,
                Poll::Pending if !self.used.is_early() => break,
                Poll::Pending => {
                    ready!(closing.end.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.closing = Some(Closing {
                left: MOST,
                end: Box::pin(tokio::time::sleep(PATIENCE)),
            });
        }
        self.poll_closed(cx).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}
