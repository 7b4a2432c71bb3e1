"""Rows of a table through dense layers, as the network of PyTorch's quick start."""

import torch
from torch import nn


def build():
    return nn.Sequential(
        nn.Linear(28, 300),
        nn.ReLU(),
        nn.Linear(300, 300),
        nn.ReLU(),
        nn.Linear(300, 300),
        nn.ReLU(),
        nn.Linear(300, 300),
        nn.ReLU(),
        nn.Linear(300, 2),
    )


def train(model, batches, learning_rate):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for rows, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(torch.from_numpy(rows)), torch.from_numpy(labels).long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, rows):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(rows)).numpy()
