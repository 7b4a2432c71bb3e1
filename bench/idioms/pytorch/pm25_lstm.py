"""An LSTM that forecasts the next hour's PM2.5, after nn.LSTM's page in PyTorch's reference."""

import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=8, hidden_size=50, batch_first=True)
        self.head = nn.Linear(50, 1)

    def forward(self, series):
        outputs, _ = self.lstm(series)  # (batch, hours, units)
        return self.head(outputs[:, -1])


def build():
    return Forecaster()


def train(model, batches, learning_rate):
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for series, concentration in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(torch.from_numpy(series)), torch.from_numpy(concentration))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, series):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(series)).numpy()
