"""Small and reusable, no engine behind them."""
