<?php

declare(strict_types=1);

namespace SavePage;

use Generator;
use InvalidArgumentException;

/**
 * Calls one SavePage server with one key. Options of captures are arrays with the names of the API; captures and batches are arrays
 * as the server answers them. Every call throws SavePageException for an answer that is an error, ConnectionException without one.
 */
final class Client
{
    /** A callback_url that leads to the account's inbox at the server itself. */
    public const INBOX_URL = 'https://inbox.savepage.invalid/';

    /** Bytes of the largest picture that comes in the answer; a larger one is fetched with a second request. */
    private const MAX_INLINE = 4 << 20;

    /** Microseconds before the second look at something that goes on; each next one waits twice as long, up to LAST_PAUSE. */
    private const FIRST_PAUSE = 50_000;
    private const LAST_PAUSE = 1_000_000;

    private readonly string $baseUrl;
    private readonly Transport $transport;

    /**
     * @param string $baseUrl URL of the server
     * @param float $timeout seconds until a request is answered, and between two parts of its answer; longer than the server waits
     *                       for a picture, 25 s unless it is set otherwise
     */
    public function __construct(string $baseUrl, private readonly string $key, float $timeout = 120.0)
    {
        if (!preg_match('~^https?://[^/]~', $baseUrl)) {
            throw new InvalidArgumentException("the URL of the server is $baseUrl: want http:// or https:// and a host");
        }
        $this->baseUrl = rtrim($baseUrl, '/');
        $this->transport = new Transport($timeout);
    }

    /**
     * Captures a page and waits for the end, also if that takes longer than the server waits in one request.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function capture(array $options, ?float $timeout = null): array
    {
        return $this->captureAt('/v1/capture', $options, $timeout);
    }

    /**
     * Captures a page and returns the capture and the bytes of the picture, most of the time in one request.
     *
     * @param array<string, mixed> $options
     * @return array{0: array<string, mixed>, 1: string}
     */
    public function picture(array $options, ?float $timeout = null): array
    {
        $capture = $this->captureAt('/v1/capture?inline=' . self::MAX_INLINE, $options, $timeout);
        $encoded = $capture['image_base64'] ?? null;
        unset($capture['image_base64']);
        return [$capture, $encoded === null ? $this->image($capture) : (string) base64_decode($encoded, true)];
    }

    /**
     * Asks for a capture and returns as soon as the server has stored it.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed> with capture_id and status_url
     */
    public function submit(array $options, ?string $idempotencyKey = null): array
    {
        $body = isset($options['callback_url']) ? $options : ['async' => true] + $options;
        return $this->call('POST', '/v1/capture', $body, $idempotencyKey)[1];
    }

    /** @return array<string, mixed> */
    public function get(string $captureId): array
    {
        return $this->call('GET', '/v1/captures/' . rawurlencode($captureId))[1];
    }

    /**
     * Looks a capture up until it has ended, at most so many seconds. Throws for one that failed or was canceled.
     *
     * @return array<string, mixed>
     */
    public function wait(string $captureId, ?float $timeout = null): array
    {
        $final = ['success', 'failed', 'canceled'];
        $capture = $this->poll(fn () => $this->get($captureId), fn ($found) => in_array($found['status'], $final, true), $timeout);
        if ($capture['status'] === 'failed') {
            $error = $capture['error'] ?? [];
            throw new SavePageException($error['code'] ?? 'unknown', $error['message'] ?? 'the capture failed', captureId: $captureId);
        }
        if ($capture['status'] === 'canceled') {
            throw new SavePageException('conflict', "capture $captureId was canceled", captureId: $captureId);
        }
        return $capture;
    }

    /**
     * Yields the events of a capture, from queued to done, as arrays with id, name and data. Reconnects when a connection breaks.
     *
     * @return Generator<int, array{id: int, name: string, data: array<string, mixed>}>
     */
    public function watch(string $captureId): Generator
    {
        $last = 0;
        for ($pause = self::FIRST_PAUSE; ; $pause = min(2 * $pause, self::LAST_PAUSE)) {
            $before = $last;
            try {
                foreach ($this->events($captureId, $last) as $event) {
                    $last = $event['id'];
                    yield ['data' => self::decoded($event['data'], 200)] + $event;
                    if ($event['name'] === 'done') {
                        return;
                    }
                }
            } catch (ConnectionException) {
                // the next try may reach it
            }
            if ($last > $before) {
                $pause = self::FIRST_PAUSE;
            }
            usleep($pause);
        }
    }

    /** Cancels a capture that has not ended; deletes one that has, with its picture. */
    public function cancel(string $captureId): void
    {
        $this->call('DELETE', '/v1/captures/' . rawurlencode($captureId));
    }

    /**
     * Fetches the picture of a successful capture. It needs no key, and none is sent.
     *
     * @param array<string, mixed> $capture
     */
    public function image(array $capture): string
    {
        if (empty($capture['image'])) {
            throw new InvalidArgumentException("capture {$capture['capture_id']} has no picture: it is {$capture['status']}");
        }
        return $this->transport->read('GET', $capture['image'], [])[1];
    }

    /**
     * Asks for up to 1,000 captures, all or none: urls or captures, options of all of them, callback_url, batch_callback_url, metadata.
     *
     * @param array<string, mixed> $batch
     * @return array<string, mixed> with batch_id and capture_ids
     */
    public function submitBatch(array $batch, ?string $idempotencyKey = null): array
    {
        return $this->call('POST', '/v1/batches', $batch, $idempotencyKey)[1];
    }

    /** @return array<string, mixed> */
    public function batch(string $batchId): array
    {
        return $this->call('GET', '/v1/batches/' . rawurlencode($batchId))[1];
    }

    /**
     * Looks a batch up until every capture of it has ended, at most so many seconds.
     *
     * @return array<string, mixed>
     */
    public function waitBatch(string $batchId, ?float $timeout = null): array
    {
        return $this->poll(fn () => $this->batch($batchId), fn ($found) => $found['status'] === 'ended', $timeout);
    }

    /**
     * Yields the captures of a batch, newest first.
     *
     * @return Generator<int, array<string, mixed>>
     */
    public function batchCaptures(string $batchId): Generator
    {
        $cursor = [];
        do {
            $page = $this->call('GET', '/v1/captures?' . http_build_query(['batch_id' => $batchId, 'limit' => 100] + $cursor))[1];
            foreach ($page['captures'] ?? [] as $capture) {
                yield $capture;
            }
            $cursor = ['cursor' => $page['next_cursor'] ?? ''];
        } while ($cursor['cursor'] !== '');
    }

    /**
     * Looks into the inbox: url, answer, events (newest first), next_cursor where there are more.
     *
     * @return array<string, mixed>
     */
    public function inbox(?int $limit = null, ?string $cursor = null): array
    {
        $query = http_build_query(['limit' => $limit, 'cursor' => $cursor]); // leaves out what is null
        return $this->call('GET', '/v1/inbox' . ($query === '' ? '' : "?$query"))[1];
    }

    /**
     * Returns the newest event of a capture or a batch in the inbox, as soon as there is one, at most after so many seconds.
     *
     * @return array<string, mixed>
     */
    public function waitInbox(string $id, ?float $timeout = null): array
    {
        $of = fn (array $event) => in_array($id, [$event['capture_id'] ?? null, $event['batch_id'] ?? null], true);
        $look = fn () => array_values(array_filter($this->inbox(100)['events'], $of));
        return $this->poll($look, fn (array $found) => $found !== [], $timeout)[0];
    }

    /** Says how the inbox answers from now on, '200', '500', '410' or 'slow', to see what becomes of callbacks. */
    public function answerInbox(string $answer): void
    {
        $this->call('PATCH', '/v1/inbox', ['answer' => $answer]);
    }

    /** Removes all events from the inbox. */
    public function emptyInbox(): void
    {
        $this->call('DELETE', '/v1/inbox');
    }

    /**
     * Signs a link to the picture of a page that needs no key. The server is not asked.
     *
     * @param array<string, mixed> $options
     * @param int|null $expires Unix seconds from which the link is refused; null for never
     */
    public function link(string $secret, array $options, ?int $expires = null): string
    {
        return Link::sign($this->baseUrl, $secret, $options, $expires);
    }

    /**
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    private function captureAt(string $path, array $options, ?float $timeout): array
    {
        [$status, $found] = $this->call('POST', $path, $options);
        return $status === 202 ? $this->wait($found['capture_id'], $timeout) : $found;
    }

    /**
     * @param array<string, mixed>|null $body
     * @return array{0: int, 1: array<string, mixed>}
     */
    private function call(string $method, string $path, ?array $body = null, ?string $idempotencyKey = null): array
    {
        $headers = ["Authorization: Bearer {$this->key}"];
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
        }
        if ($idempotencyKey !== null) {
            $headers[] = "Idempotency-Key: $idempotencyKey";
        }
        $content = $body === null ? null : self::json((object) $body);
        [$status, $text] = $this->transport->read($method, $this->baseUrl . $path, $headers, $content);
        return [$status, $text === '' ? [] : self::decoded($text, $status)];
    }

    /** @return Generator<int, array{id: int, name: string, data: string}> */
    private function events(string $captureId, int $last): Generator
    {
        $headers = ["Authorization: Bearer {$this->key}"];
        if ($last > 0) {
            $headers[] = "Last-Event-ID: $last";
        }
        return $this->transport->events($this->baseUrl . '/v1/captures/' . rawurlencode($captureId) . '/events', $headers);
    }

    /**
     * Looks until what is found has ended.
     *
     * @template T of array
     * @param callable(): T $look
     * @param callable(T): bool $ended
     * @return T
     */
    private function poll(callable $look, callable $ended, ?float $timeout): array
    {
        $until = $timeout === null ? INF : microtime(true) + $timeout;
        for ($pause = self::FIRST_PAUSE; ; $pause = min(2 * $pause, self::LAST_PAUSE)) {
            $found = $look();
            if ($ended($found)) {
                return $found;
            }
            if (microtime(true) + $pause / 1e6 > $until) {
                throw new TimeoutException("not ended within $timeout s");
            }
            usleep($pause);
        }
    }

    /**
     * Writes a value as JSON. For Link, too.
     *
     * @internal
     */
    public static function json(mixed $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    }

    /** @return array<string, mixed> */
    private static function decoded(string $text, int $status): array
    {
        $value = json_decode($text, true, 64);
        if (!is_array($value)) {
            throw new SavePageException('unknown', 'the server answered what is no JSON: ' . substr($text, 0, 200), $status);
        }
        return $value;
    }
}
