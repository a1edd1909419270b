<?php

declare(strict_types=1);

namespace SavePage;

use RuntimeException;

/** An error that the server or a capture has answered with. */
final class SavePageException extends RuntimeException
{
    /**
     * @param string $errorCode stable name of the error, such as invalid_request; "unknown" if the answer is not the server's own
     * @param int $status HTTP status of the answer; 0 for the error of a capture that was looked up
     * @param list<array{location: string, message: string, value?: mixed}> $errors every invalid field of the request
     * @param string|null $requestId identifies the request in the log of the server
     * @param string|null $captureId the capture that failed
     * @param int|null $retryAfter seconds to wait before the same request may succeed
     */
    public function __construct(
        public readonly string $errorCode,
        string $message,
        public readonly int $status = 0,
        public readonly array $errors = [],
        public readonly ?string $requestId = null,
        public readonly ?string $captureId = null,
        public readonly ?int $retryAfter = null,
    ) {
        parent::__construct($message);
    }

    /** Name of the first invalid field, such as "width" or "options.width"; null if no field is at fault. */
    public function field(): ?string
    {
        return isset($this->errors[0]) ? preg_replace('/^(body|query|header|path)\./', '', $this->errors[0]['location']) : null;
    }
}
