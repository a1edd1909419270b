<?php

declare(strict_types=1);

namespace SavePage;

/**
 * Sends requests over PHP's own HTTP streams. Not for use from outside.
 *
 * @internal
 */
final class Transport
{
    /** @param float $timeout seconds until a request is answered, and between two parts of its answer */
    public function __construct(private readonly float $timeout)
    {
    }

    /**
     * Sends a request and reads the whole answer.
     *
     * @param list<string> $headers
     * @return array{0: int, 1: string} status and body
     */
    public function read(string $method, string $url, array $headers, ?string $content = null): array
    {
        [$stream, $status, $length] = $this->open($method, $url, $headers, $content);
        try {
            return [$status, $this->contents($stream, $url, $length)];
        } finally {
            fclose($stream);
        }
    }

    /**
     * Yields the server-sent events of an address until the connection ends.
     *
     * @param list<string> $headers
     * @return \Generator<int, array{id: int, name: string, data: string}>
     */
    public function events(string $url, array $headers): \Generator
    {
        // HTTP/1.0 has no chunks: PHP gathers 8 KiB of those before it hands on a line.
        [$stream] = $this->open('GET', $url, [...$headers, 'Accept: text/event-stream'], null, 1.0);
        $event = ['id' => 0, 'name' => '', 'data' => ''];
        try {
            while (($line = fgets($stream)) !== false) {
                $line = rtrim($line, "\r\n");
                [$field, $value] = explode(':', $line, 2) + [1 => ''];
                $value = str_starts_with($value, ' ') ? substr($value, 1) : $value;
                match (true) {
                    $field === 'id' => $event['id'] = (int) $value,
                    $field === 'event' => $event['name'] = $value,
                    $field === 'data' => $event['data'] .= ($event['data'] === '' ? '' : "\n") . $value,
                    default => null,
                };
                if ($line === '') {
                    if ($event['name'] !== '') {
                        yield $event;
                    }
                    $event = ['id' => 0, 'name' => '', 'data' => ''];
                }
            }
        } finally {
            fclose($stream);
        }
    }

    /**
     * Opens an answer that is a success. Throws SavePageException for another, ConnectionException without one.
     *
     * @param list<string> $headers
     * @return array{0: resource, 1: int, 2: int|null} the body, the status, and how many bytes the body has, if that is known
     */
    private function open(string $method, string $url, array $headers, ?string $content, float $version = 1.1): array
    {
        $http = [
            'method' => $method,
            'header' => [...$headers, 'Connection: close'],
            'timeout' => $this->timeout,
            'protocol_version' => $version,
            'ignore_errors' => true,
            // A redirect would carry the key along, perhaps to another host; pictures, which need none, may be elsewhere.
            'follow_location' => $headers === [] ? 1 : 0,
        ];
        if ($content !== null) {
            $http['content'] = $content;
        }
        error_clear_last();
        $stream = @fopen($url, 'rb', false, stream_context_create(['http' => $http]));
        if ($stream === false) {
            $why = error_get_last()['message'] ?? 'no answer';
            throw self::lost($url, (string) preg_replace('/^fopen\(.*?\): (failed to open stream: )?/i', '', $why));
        }
        [$status, $answered] = self::head(stream_get_meta_data($stream)['wrapper_data']);
        $length = isset($answered['content-length']) ? (int) $answered['content-length'] : null;
        if ($status >= 200 && $status < 300) {
            return [$stream, $status, $length];
        }
        try {
            throw self::refusal($status, $answered, $this->contents($stream, $url, $length));
        } finally {
            fclose($stream);
        }
    }

    /**
     * Reads the status and the headers of the last answer, after redirects.
     *
     * @param list<string> $lines
     * @return array{0: int, 1: array<string, string>} the headers by their names in lower case
     */
    private static function head(array $lines): array
    {
        [$status, $headers] = [0, []];
        foreach ($lines as $line) {
            if (preg_match('~^HTTP/\S+ (\d{3})~', $line, $found)) {
                [$status, $headers] = [(int) $found[1], []];
            } elseif (str_contains($line, ':')) {
                [$name, $value] = explode(':', $line, 2);
                $headers[strtolower($name)] = trim($value);
            }
        }
        return [$status, $headers];
    }

    /** @param resource $stream */
    private function contents($stream, string $url, ?int $length): string
    {
        $text = stream_get_contents($stream);
        if ($text === false || stream_get_meta_data($stream)['timed_out']) {
            throw self::lost($url, "no answer within $this->timeout s");
        }
        if ($length !== null && strlen($text) < $length) {
            throw self::lost($url, 'the connection broke after ' . strlen($text) . " of $length bytes");
        }
        return $text;
    }

    /** @param array<string, string> $headers */
    private static function refusal(int $status, array $headers, string $text): SavePageException
    {
        $problem = json_decode($text, true);
        if (!is_array($problem) || !isset($problem['code'], $problem['detail'])) {
            $problem = ['code' => 'unknown', 'detail' => "the server answered $status: " . substr($text, 0, 200)];
        }
        $after = $headers['retry-after'] ?? '';
        return new SavePageException(
            $problem['code'],
            $problem['detail'],
            $status,
            $problem['errors'] ?? [],
            $problem['request_id'] ?? $headers['x-request-id'] ?? null,
            $problem['capture_id'] ?? null,
            ctype_digit($after) ? (int) $after : null,
        );
    }

    private static function lost(string $url, string $why): ConnectionException
    {
        return new ConnectionException(parse_url($url, PHP_URL_HOST) . " cannot be reached: $why");
    }
}
