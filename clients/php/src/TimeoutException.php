<?php

declare(strict_types=1);

namespace SavePage;

use RuntimeException;

/** What was waited for did not end in time. It goes on at the server. */
final class TimeoutException extends RuntimeException
{
}
